import { writeModule } from "./hierarchy.ts";
import { writeItems } from "./item.ts";
import type { CircuitRecipe, ClockRecipe } from "./recipe.ts";
import { type Constant, clockKeys, Program, type SourceOptions } from "./scope.ts";

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
const names = `assert assume bool cat clock comb constant cover crossing delay discard grid input instance match memory module mux named output reg repeat sint
  states sync uint vec when wire`.split(/\s+/);

/** Clocks of a module; where all is defined, all have a reset, and the top has all that there can be. */
const clocksOf = ({ modules }: CircuitRecipe, index: number, { defined }: SourceOptions): ClockRecipe[] => {
  const { reset, activeLow, clocks } = modules[index]!;
  const all: ClockRecipe[] = [{ reset, activeLow }, ...clocks];
  if (defined === undefined) return all;
  if (index === modules.length - 1) while (all.length < clockKeys.length) all.push({ reset: "sync", activeLow });
  return all.map((clock) => ({ ...clock, reset: clock.reset === "none" ? "sync" : clock.reset }));
};

/** Writes a recipe as a program. */
export const circuitSource = (recipe: CircuitRecipe, options: SourceOptions): CircuitSource => {
  const program = new Program(options);
  const written: ReturnType<typeof writeModule>[] = [];
  for (const [i, module] of recipe.modules.entries()) {
    const isTop = i === recipe.modules.length - 1;
    const spec = { ...module, clocks: clocksOf(recipe, i, options), observed: recipe.observed && isTop, clocked: isTop && options.defined !== undefined };
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
