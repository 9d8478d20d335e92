import type { Module } from "../hdl/circuit.ts";
import type { PortMap } from "../hdl/ports.ts";
import { verilogFiles } from "../verilog/index.ts";
import type { SimSource } from "./source.ts";

/** A module of the language as something to simulate: the text that would be shipped, and the circuit for embedded engines. */
export const toSource = <P extends PortMap>({ circuit }: Module<P>): SimSource<P> => {
  let files: SimSource["files"] | undefined;
  return {
    top: circuit.name,
    // Embedded engines never ask for the text, and printing it takes longer than they do to start.
    get files() {
      files ??= verilogFiles(circuit);
      return files;
    },
    parameters: {},
    ports: circuit.ports,
    clocks: circuit.clocks,
    circuit,
  };
};
