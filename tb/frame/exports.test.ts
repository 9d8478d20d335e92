import { UserError } from "systole";
import { uint } from "systole/hdl";
import { describeEngines } from "systole/sim/vitest";
import { expect, test } from "vitest";
import { UserError as Source } from "../../src/base/error.ts";
import { uint as sourceUint } from "../../src/hdl/index.ts";
import { describeEngines as sourceDescribe } from "../../src/sim/vitest.ts";

test("in the clone the package's names lead to the sources", () => {
  expect(UserError).toBe(Source);
  expect(uint).toBe(sourceUint);
  expect(describeEngines).toBe(sourceDescribe);
});
