import { input, output } from "../../../src/hdl/ports.ts";
import { bool, uint } from "../../../src/hdl/shape.ts";
import { simulate, verilog } from "../../../src/sim/index.ts";

// A process of its own that builds and runs a counter; prints what it counted.
const counter = verilog({ top: "counter", files: ["tb/reference/counter.sv"], ports: { en: input(bool), count: output(uint(8)), wrap: output(bool) } });
const sim = await simulate(counter);
sim.reset();
sim.io.en.poke(1);
sim.step(Number(process.argv[2]));
process.stdout.write(String(sim.io.count.peek()));
sim.close();
