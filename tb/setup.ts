import fc from "fast-check";
import { rootSeed } from "../src/base/random.ts";

// One seed for all properties, so that a clone and CI test the same cases; `npm run regress` and `SYSTOLE_SEED=...` take others.
fc.configureGlobal({ seed: rootSeed() });
