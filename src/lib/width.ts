import { clog2 } from "../base/clog2.ts";
import { UserError } from "../base/error.ts";
import { type About, assert, assume, bool, comb, flip, type Module, module, mux, named, output, reg, sync, uint, vec, when, wire } from "../hdl/index.ts";
import { axis } from "./stream.ts";

export interface WidthParameters {
  /** Bits of a lane, which is a beat of the narrow stream. */
  readonly laneWidth: number;
  /** Lanes of a beat of the wide stream, 2 to 64. */
  readonly lanes: number;
}

/** An AXI-Stream of beats of several lanes as its producer sees it; the lanes from 0 to `tuser` are valid, so a beat has at least one. */
export const axisLanes = ({ laneWidth, lanes }: WidthParameters) => ({
  ...axis(laneWidth * lanes),
  tuser: output(uint(clog2(lanes)), "the last lane that is valid"),
});

const check = ({ laneWidth, lanes }: WidthParameters): void => {
  if (!Number.isInteger(lanes) || lanes < 2 || lanes > 64) throw new UserError("bad-parameter", `a wide stream has 2 to 64 lanes, not ${lanes}`);
  if (!Number.isInteger(laneWidth) || laneWidth < 1 || laneWidth > 16384) throw new UserError("bad-parameter", `a lane has 1 to 16384 bits, not ${laneWidth}`);
};

const about = (doc: string, { laneWidth, lanes }: WidthParameters, latency: string): About => ({
  doc,
  parameters: [
    { name: "laneWidth", value: laneWidth, legal: "1 to 16384 bits" },
    { name: "lanes", value: lanes, legal: "2 to 64" },
  ],
  latency,
});

const upsizerPorts = (parameters: WidthParameters) => ({ sAxis: flip(axis(parameters.laneWidth)), mAxis: axisLanes(parameters) });

/**
 * Gathers beats of one lane into beats of `lanes` lanes, the first in lane 0. `tlast` ends a wide beat early: `tuser` is its last valid lane, and the lanes
 * above are 0. Takes a narrow beat every cycle; no combinational path crosses it, for which it has a second wide register.
 * @throws UserError `bad-parameter` for fewer than 2 or more than 64 lanes, or a lane that is not 1 to 16384 bits wide
 */
export const axisUpsizer = (parameters: WidthParameters): Module<ReturnType<typeof upsizerPorts>> => {
  check(parameters);
  const { laneWidth, lanes } = parameters;
  const indexWidth = clog2(lanes);
  return module(
    `axis_upsizer_w${laneWidth}_n${lanes}`,
    upsizerPorts(parameters),
    ({ sAxis, mAxis }) => {
      const lane = reg("lane", uint(indexWidth), { reset: 0, doc: "the next beat's" });
      const gathered = reg("gathered", vec(lanes, uint(laneWidth)));
      const gatheredLast = reg("gatheredLast", bool);
      const gatheredTop = reg("gatheredTop", uint(indexWidth));
      const waits = reg("waits", bool, { reset: 0, doc: "a gathered beat waits behind the output" });
      const outValid = reg("outValid", bool, { reset: 0 });
      const outData = reg("outData", uint(laneWidth * lanes));
      const outLast = reg("outLast", bool);
      const outTop = reg("outTop", uint(indexWidth));
      const merged = wire("merged", vec(lanes, uint(laneWidth)), "what is gathered with the beat that comes; lanes above it are 0");
      const take = named("take", sAxis.tvalid.and(waits.not()));
      const completes = named("completes", take.and(sAxis.tlast.or(lane.eq(lanes - 1))));

      sAxis.tready.set(waits.not());
      mAxis.tvalid.set(outValid);
      mAxis.tdata.set(outData);
      mAxis.tlast.set(outLast);
      mAxis.tuser.set(outTop);

      comb(() => {
        merged.set(gathered);
        when(lane.eq(0), () => merged.set(Array.from({ length: lanes }, () => 0)));
        merged.at(lane).set(sAxis.tdata);
      });
      sync(() => {
        when(take, () => {
          lane.set(mux(completes, 0, lane.addWrap(1)));
          gathered.set(merged);
          gatheredLast.set(sAxis.tlast);
          gatheredTop.set(lane);
        });
        when(mAxis.tready.or(outValid.not()), () => {
          outValid.set(waits.or(completes));
          outData.set(mux(waits, gathered.asUInt(), merged.asUInt()));
          outLast.set(mux(waits, gatheredLast, sAxis.tlast));
          outTop.set(mux(waits, gatheredTop, lane));
          waits.set(0);
        }).elsewhen(completes, () => waits.set(1));
      });

      assert("lane_exists", lane.le(lanes - 1));
      assert("what_waits_is_whole", waits.not().or(outValid.and(lane.eq(0))));
    },
    about(
      "AXI-Stream upsizer: gathers beats into lanes, at a beat every cycle; ready comes from a register.",
      parameters,
      "a wide beat shows one cycle after its last narrow beat.",
    ),
  );
};

const downsizerPorts = (parameters: WidthParameters) => ({ sAxis: flip(axisLanes(parameters)), mAxis: axis(parameters.laneWidth) });

/**
 * Gives the valid lanes of each beat one by one, lane 0 first, `tlast` with the last of them. Gives a narrow beat every cycle; no combinational path crosses
 * it, for which it has a second wide register.
 * @throws UserError `bad-parameter` for fewer than 2 or more than 64 lanes, or a lane that is not 1 to 16384 bits wide
 */
export const axisDownsizer = (parameters: WidthParameters): Module<ReturnType<typeof downsizerPorts>> => {
  check(parameters);
  const { laneWidth, lanes } = parameters;
  const wide = uint(laneWidth * lanes);
  const indexWidth = clog2(lanes);
  return module(
    `axis_downsizer_w${laneWidth}_n${lanes}`,
    downsizerPorts(parameters),
    ({ sAxis, mAxis }) => {
      const valid = reg("valid", bool, { reset: 0 });
      const data = reg("data", wide, { doc: "the lane that shows is lane 0" });
      const last = reg("last", bool);
      const left = reg("left", uint(indexWidth), { doc: "lanes after the one that shows" });
      const waits = reg("waits", bool, { reset: 0, doc: "a beat waits behind the one that shows" });
      const waitingData = reg("waitingData", wide);
      const waitingLast = reg("waitingLast", bool);
      const waitingTop = reg("waitingTop", uint(indexWidth));
      const ends = named("ends", left.eq(0));
      const free = named("free", valid.not().or(mAxis.tready.and(ends)));

      sAxis.tready.set(waits.not());
      mAxis.tvalid.set(valid);
      mAxis.tdata.set(data.wrap(laneWidth));
      mAxis.tlast.set(last.and(ends));

      sync(() => {
        when(free, () => {
          valid.set(waits.or(sAxis.tvalid));
          data.set(mux(waits, waitingData, sAxis.tdata));
          last.set(mux(waits, waitingLast, sAxis.tlast));
          left.set(mux(waits, waitingTop, sAxis.tuser));
        }).elsewhen(mAxis.tready, () => {
          data.set(data.shr(laneWidth));
          left.set(left.subWrap(1));
        });
      });
      sync(() => {
        when(free, () => waits.set(0)).elsewhen(sAxis.tvalid.and(waits.not()), () => {
          waits.set(1);
          waitingData.set(sAxis.tdata);
          waitingLast.set(sAxis.tlast);
          waitingTop.set(sAxis.tuser);
        });
      });

      if (lanes < 2 ** indexWidth) assume("valid_lanes_exist", sAxis.tvalid.not().or(sAxis.tuser.lt(lanes)));
      assert("one_waits_behind_another", waits.not().or(valid));
    },
    about(
      "AXI-Stream downsizer: gives the valid lanes of each beat, one every cycle; ready comes from a register.",
      parameters,
      "lane 0 shows one cycle after its beat when nothing is held.",
    ),
  );
};
