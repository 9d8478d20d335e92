import { flip, module, output, reg, sync, uint } from "../../../src/hdl/index.ts";
import { axi4 } from "../../../src/lib/axi4/bundle.ts";

const widths = { addressWidth: 40, dataWidth: 64, idWidth: 2 };

/** A piece of wire: what a test does at `sAxi`, the memory sees at `mAxi`. */
export const axiWire = module(
  "axi_wire",
  { sAxi: flip(axi4(widths)), mAxi: axi4(widths), edges: output(uint(16), "so that there is a clock") },
  ({ sAxi, mAxi, edges }) => {
    const count = reg("count", uint(16), { reset: 0 });
    sync(() => count.set(count.addWrap(1)));
    edges.set(count);
    mAxi.awid.set(sAxi.awid);
    mAxi.awaddr.set(sAxi.awaddr);
    mAxi.awlen.set(sAxi.awlen);
    mAxi.awsize.set(sAxi.awsize);
    mAxi.awburst.set(sAxi.awburst);
    mAxi.awlock.set(sAxi.awlock);
    mAxi.awcache.set(sAxi.awcache);
    mAxi.awprot.set(sAxi.awprot);
    mAxi.awvalid.set(sAxi.awvalid);
    sAxi.awready.set(mAxi.awready);
    mAxi.wdata.set(sAxi.wdata);
    mAxi.wstrb.set(sAxi.wstrb);
    mAxi.wlast.set(sAxi.wlast);
    mAxi.wvalid.set(sAxi.wvalid);
    sAxi.wready.set(mAxi.wready);
    sAxi.bid.set(mAxi.bid);
    sAxi.bresp.set(mAxi.bresp);
    sAxi.bvalid.set(mAxi.bvalid);
    mAxi.bready.set(sAxi.bready);
    mAxi.arid.set(sAxi.arid);
    mAxi.araddr.set(sAxi.araddr);
    mAxi.arlen.set(sAxi.arlen);
    mAxi.arsize.set(sAxi.arsize);
    mAxi.arburst.set(sAxi.arburst);
    mAxi.arlock.set(sAxi.arlock);
    mAxi.arcache.set(sAxi.arcache);
    mAxi.arprot.set(sAxi.arprot);
    mAxi.arvalid.set(sAxi.arvalid);
    sAxi.arready.set(mAxi.arready);
    sAxi.rid.set(mAxi.rid);
    sAxi.rdata.set(mAxi.rdata);
    sAxi.rresp.set(mAxi.rresp);
    sAxi.rlast.set(mAxi.rlast);
    sAxi.rvalid.set(mAxi.rvalid);
    mAxi.rready.set(sAxi.rready);
  },
  "Connects one AXI4 port to another.",
);
