import { writeModule } from "./hierarchy.ts";
import { writeItems } from "./item.ts";
import type { CircuitRecipe, ClockRecipe } from "./recipe.ts";
import { type Constant, Program, type SourceOptions } from "./scope.ts";

/** A program of the language that makes a random circuit. */
export interface CircuitSource {
  /** Modules, children first, without the import. */
  readonly text: string;
  /** Variable of the top. */
  readonly top: string;
  /** Inputs that hold constants. */
  readonly constants: readonly Constant[];
}

/** What the language exports and these programs may use. */
const names = [
  ...["assert", "assume", "bool", "cat", "clock", "comb", "constant", "cover", "crossing", "delay", "discard", "grid", "input", "instance", "match", "memory"],
  ...["module", "mux", "named", "output", "reg", "repeat", "sint", "states", "sync", "uint", "vec", "when", "wire"],
];

const clocksOf = ({ activeLow, modules }: CircuitRecipe, index: number, { defined }: SourceOptions): ClockRecipe[] => {
  const { reset, clocks } = modules[index]!;
  return [{ reset, activeLow }, ...clocks].map((clock, i) =>
    defined === undefined ? clock : { reset: clock.reset === "none" ? "sync" : clock.reset, activeLow: defined.activeLow[i]! },
  );
};

/** Writes a recipe as a program. */
export const circuitSource = (recipe: CircuitRecipe, options: SourceOptions): CircuitSource => {
  const program = new Program(options);
  const written: ReturnType<typeof writeModule>[] = [];
  for (const [i, module] of recipe.modules.entries()) {
    const spec = { ...module, clocks: clocksOf(recipe, i, options), observed: recipe.observed && i === recipe.modules.length - 1 };
    written.push(writeModule(program, spec, written.slice(), writeItems));
  }
  const top = written.at(-1)!;
  return { text: `${program.texts.join("\n\n")}\n`, top: top.name, constants: top.constants };
};

/** The program as a file: it imports what it uses and exports the top as `circuit`. */
export const fileText = ({ text, top }: CircuitSource): string => {
  const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(text));
  return `import { ${used.join(", ")} } from "systole/hdl";\n\n${text}\nexport const circuit = ${top};\n`;
};
