import { UserError } from "../../base/error.ts";

/** A port as Verilator reports it in the generated header. */
export interface ReportedPort {
  /** Name in the Verilog. */
  readonly name: string;
  /** Name of the member in the generated class. */
  readonly member: string;
  readonly direction: "input" | "output";
  readonly width: number;
}

/** Verilator writes characters that C++ does not allow in names as `__0` and two hexadecimal digits. */
const decodeName = (member: string): string =>
  member.replace(/^__SYM__/, "").replace(/__0([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/**
 * Ports of a model from `Vdut.h`: lines such as `VL_IN8(&we,0,0);` and `VL_OUTW(&data,199,0,7);`, the same in Verilator 5.006 and 5.032.
 * @throws UserError for inout ports and for unpacked arrays, which the harness does not drive.
 */
export const reportedPorts = (header: string): ReportedPort[] => {
  const ports: ReportedPort[] = [];
  for (const match of header.matchAll(/\bVL_(IN|OUT|INOUT)(?:8|16|64|W|)\((\(?)&(\w+)\)?((?:\[\d+\])*),\s*(-?\d+),\s*(-?\d+)(?:,\s*\d+)?\)/g)) {
    const [, kind, , member = "", array, msb, lsb] = match;
    const name = decodeName(member);
    if (kind === "INOUT") throw new UserError("unsupported-port", `port \`${name}\` is inout, and only inputs and outputs can be simulated`);
    if (array !== "") throw new UserError("unsupported-port", `port \`${name}\` is an unpacked array, and only packed ports can be simulated`);
    ports.push({ name, member, direction: kind === "IN" ? "input" : "output", width: Math.abs(Number(msb) - Number(lsb)) + 1 });
  }
  return ports;
};
