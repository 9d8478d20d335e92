import { UserError } from "../../../base/error.ts";
import { type DescriptorField, descriptorBytes, descriptorFields, jobErrors, recordFields } from "../../../designs/tender/core/descriptor.ts";

export type Descriptor = { readonly [name in keyof typeof descriptorFields]: number };

/**
 * The bytes of a descriptor, all that it takes in its slot of the ring.
 * @throws UserError `bad-descriptor` for a value that its field can't hold
 */
export const encodeDescriptor = (values: Descriptor): Uint8Array => {
  const image = new Uint8Array(descriptorBytes);
  const view = new DataView(image.buffer);
  const fields: Readonly<Record<string, DescriptorField>> = descriptorFields;
  for (const [name, value] of Object.entries(values)) {
    const { offset, low, width } = fields[name]!;
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** width)
      throw new UserError("bad-descriptor", `field ${name} of a descriptor has ${width} bits and can't hold ${value}`);
    if (width > 32) view.setBigUint64(offset, BigInt(value), true);
    else view.setUint32(offset, (view.getUint32(offset, true) | (value << low)) >>> 0, true);
  }
  return image;
};

/** What the core reports of a job. */
export type JobRecord = { readonly [name in keyof typeof recordFields]: number };

/** The record in a slot of the ring, which begins at byte `at`. */
export const decodeRecord = (bytes: Uint8Array, at: number): JobRecord => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, descriptorBytes);
  const read = ({ offset, low, width }: DescriptorField): number => (view.getUint32(offset, true) >>> low) & (width === 32 ? 0xffffffff : 2 ** width - 1);
  return Object.fromEntries(Object.entries(recordFields).map(([name, field]) => [name, read(field) >>> 0])) as JobRecord;
};

export type JobError = keyof typeof jobErrors;

/** Names of the bits that are set in a status. */
export const errorsOf = (status: number): JobError[] => (Object.keys(jobErrors) as JobError[]).filter((name) => ((status >>> jobErrors[name].bit) & 1) === 1);

/** A status in words. */
export const describeErrors = (errors: readonly JobError[]): string => errors.map((name) => `${name} (${jobErrors[name].doc.replace(/\.$/, "")})`).join(", ");
