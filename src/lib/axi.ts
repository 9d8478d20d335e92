import { clog2 } from "../base/clog2.ts";
import { UserError } from "../base/error.ts";
import {
  type About,
  assert,
  bool,
  cat,
  constant,
  discard,
  flip,
  input,
  type Module,
  module,
  mux,
  named,
  output,
  reg,
  sync,
  uint,
  vec,
  when,
} from "../hdl/index.ts";

/** AXI4-Lite (AMBA AXI, ARM IHI 0022) as its manager sees it. */
export const axiLite = (addressWidth: number, dataWidth: 32 | 64) => ({
  awvalid: output(bool),
  awready: input(bool),
  awaddr: output(uint(addressWidth)),
  awprot: output(uint(3)),
  wvalid: output(bool),
  wready: input(bool),
  wdata: output(uint(dataWidth)),
  wstrb: output(uint(dataWidth / 8)),
  bvalid: input(bool),
  bready: output(bool),
  bresp: input(uint(2)),
  arvalid: output(bool),
  arready: input(bool),
  araddr: output(uint(addressWidth)),
  arprot: output(uint(3)),
  rvalid: input(bool),
  rready: output(bool),
  rdata: input(uint(dataWidth)),
  rresp: input(uint(2)),
});

/** Responses of AXI4-Lite. */
const okay = 0;
const subordinateError = 2;

const registerFilePorts = (registers: number, addressWidth: number) => ({
  sAxil: flip(axiLite(addressWidth, 32)),
  values: output(vec(registers, uint(32)), "what software wrote last"),
});

const aboutRegisters = (registers: number): About => ({
  doc: "Register file on AXI4-Lite: 32-bit registers with byte strobes, register i at byte address 4*i. Addresses beyond the last one answer SLVERR.",
  parameters: [{ name: "registers", value: registers, legal: "2 to 256" }],
  latency: "a response comes one cycle after its request; one write and one read a cycle.",
});

const checkRegisters = (registers: number): void => {
  if (!Number.isInteger(registers) || registers < 2 || registers > 256)
    throw new UserError("bad-parameter", `a register file has 2 to 256 registers, not ${registers}`);
};

/**
 * Registers of 32 bits that software reads and writes through AXI4-Lite, with byte strobes: register `i` at byte address `4 * i`.
 * Addresses beyond the last register answer SLVERR and change nothing. A write waits until address and data are both there.
 * @throws UserError for fewer than 2 or more than 256 registers
 */
export const axiLiteRegisters = ({ registers }: { readonly registers: number }): Module<ReturnType<typeof registerFilePorts>> => {
  checkRegisters(registers);
  const addressWidth = clog2(registers) + 2;
  return module(
    `axi_lite_registers_n${registers}`,
    registerFilePorts(registers, addressWidth),
    ({ sAxil, values }) => {
      const file = reg("file", vec(registers, vec(4, uint(8))), { reset: Array.from({ length: registers }, () => [0, 0, 0, 0]) });
      const bValid = reg("bValid", bool, { reset: 0 });
      const bResp = reg("bResp", uint(2));
      const rValid = reg("rValid", bool, { reset: 0 });
      const rResp = reg("rResp", uint(2));
      const rData = reg("rData", uint(32));
      const write = named("write", sAxil.awvalid.and(sAxil.wvalid).and(bValid.not().or(sAxil.bready)));
      const read = named("read", sAxil.arvalid.and(rValid.not().or(sAxil.rready)));
      const writeIndex = sAxil.awaddr.bits(addressWidth - 1, 2);
      const readIndex = sAxil.araddr.bits(addressWidth - 1, 2);

      sAxil.awready.set(write);
      sAxil.wready.set(write);
      sAxil.bvalid.set(bValid);
      sAxil.bresp.set(bResp);
      sAxil.arready.set(read);
      sAxil.rvalid.set(rValid);
      sAxil.rresp.set(rResp);
      sAxil.rdata.set(rData);
      values.set(file.reshape(vec(registers, uint(32))));

      sync(() => {
        when(write, () => {
          bValid.set(1);
          bResp.set(mux(writeIndex.lt(registers), constant(uint(2), okay), subordinateError));
        }).elsewhen(sAxil.bready, () => bValid.set(0));
        when(write.and(writeIndex.lt(registers)), () => {
          for (let byte = 0; byte < 4; byte += 1)
            when(sAxil.wstrb.bit(byte), () =>
              file
                .at(writeIndex)
                .at(byte)
                .set(sAxil.wdata.bits(8 * byte + 7, 8 * byte)),
            );
        });
      });
      sync(() => {
        when(read, () => {
          rValid.set(1);
          rResp.set(mux(readIndex.lt(registers), constant(uint(2), okay), subordinateError));
          rData.set(file.at(readIndex).asUInt());
        }).elsewhen(sAxil.rready, () => rValid.set(0));
      });

      discard("address", cat(sAxil.awaddr.bits(1, 0), sAxil.awprot, sAxil.araddr.bits(1, 0), sAxil.arprot));
      assert("write_needs_address_and_data", write.not().or(sAxil.awvalid.and(sAxil.wvalid)));
    },
    aboutRegisters(registers),
  );
};
