import { UserError } from "../../../base/error.ts";
import { addParts, roundToBfloat16 } from "../../../golden/tender/split.ts";
import { describeErrors, errorsOf, type JobError, type JobRecord } from "./descriptor.ts";
import type { CoreDevice } from "./device.ts";
import { ImageMaker } from "./images.ts";
import type { CoreJob } from "./job.ts";
import { imagesIn, type PlacedJob, placeJob } from "./memory.ts";
import type { CorePlan } from "./plan.ts";
import { type ResultValues, readResults } from "./results.ts";
import { planJob, type SplitPlan } from "./split.ts";

export interface CoreResult {
  /** Its plans, one a part. */
  readonly plan: SplitPlan;
  /** [M, N] */
  readonly values: ResultValues;
  /** What the core reported of each part. */
  readonly records: readonly JobRecord[];
  readonly errors: readonly JobError[];
}

export interface CoreRun {
  /** In the order of the jobs. */
  readonly results: readonly CoreResult[];
  /** From doorbells to interrupts. */
  readonly cycles: number;
}

export interface RunOptions {
  /** Whether products that the core can't hold, or whose accumulators could overflow, are cut into parts that the host adds up. Default false. */
  readonly splitK?: boolean;
  /** Whether a job that ends with an error ends the run. Default true; else `errors` of its result say so. */
  readonly strict?: boolean;
  /** Called with the share of the jobs that have ended, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** What has come of a part. */
interface Outcome {
  readonly values: ResultValues;
  readonly record: JobRecord;
}

/** A job's results from those of its parts: their sum, and what has to follow it. */
const combine = (plan: SplitPlan, parts: readonly Outcome[]): CoreResult => {
  const { product, output } = plan.job;
  const records = parts.map(({ record }) => record);
  const errors = errorsOf(records.reduce((status, record) => status | record.status, 0));
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only !== undefined) return { plan, values: only.values, records, errors };
  const sum = addParts(
    parts.map(({ values }) => Float32Array.from(values)),
    product.relu,
  );
  return { plan, values: output.format === "bfloat16" ? roundToBfloat16(sum) : sum, records, errors };
};

/** Runs jobs on a core, one after the other, and keeps the images of what they share from run to run. */
export class CoreRunner {
  readonly #device: CoreDevice;
  readonly #images: ImageMaker;

  constructor(device: CoreDevice) {
    this.#device = device;
    this.#images = new ImageMaker(device.parameters);
  }

  /** @throws UserError as `planJob` */
  plan(jobs: readonly CoreJob[], splitK = false): SplitPlan[] {
    const { parameters, timing } = this.#device;
    return jobs.map((job) => planJob(parameters, job, { memory: timing, splitK }));
  }

  /**
   * Runs jobs, as many at once as ring and memory hold.
   * @throws UserError as `planJob`, before anything runs; as `CoreDevice.execute`; `no-memory`; with `strict` `core-job`, exit 1, for a job that ends with an error
   */
  run(jobs: readonly CoreJob[], { splitK = false, strict = true, onProgress }: RunOptions = {}): CoreRun {
    const plans = this.plan(jobs, splitK);
    const parts = plans.flatMap((plan) => plan.parts);
    const outcomes: Outcome[] = [];
    let cycles = 0;
    while (outcomes.length < parts.length) {
      const placed = this.#place(parts.slice(outcomes.length));
      cycles += this.#device.execute(placed, (done) => onProgress?.((outcomes.length + done) / parts.length));
      outcomes.push(...placed.map((job, at) => this.#collect(job, at, strict)));
    }
    onProgress?.(1);
    let from = 0;
    const results = plans.map((plan) => combine(plan, outcomes.slice(from, (from += plan.parts.length))));
    return { results, cycles };
  }

  /** As many of the jobs as ring and memory hold. */
  #place(plans: readonly CorePlan[]): PlacedJob[] {
    const { places, ring } = this.#device;
    places.clear();
    const placed: PlacedJob[] = [];
    for (const plan of plans.slice(0, ring.room)) {
      const images = this.#images.make(plan.job, plan.shape);
      if (placed.length > 0 && !places.fits(imagesIn(images), plan.layout.bytes)) break;
      placed.push(placeJob(places, plan, images, placed.length));
    }
    return placed;
  }

  #collect(placed: PlacedJob, at: number, strict: boolean): Outcome {
    const { parameters, places, ring } = this.#device;
    const record = ring.record(at);
    const errors = errorsOf(record.status);
    if (strict && errors.length > 0) throw new UserError("core-job", `${placed.plan.job.product.name} ended with ${describeErrors(errors)}`, { exitCode: 1 });
    return { values: readResults(parameters, places.bytes, placed), record };
  }
}
