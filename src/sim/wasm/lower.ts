import { clog2 } from "../../base/clog2.ts";
import type { Memory, MemoryRead, Place, Statement } from "../../hdl/circuit.ts";
import { castSign, catOf, lit, type Node, reduce, type Select, sliceOf } from "../../hdl/node.ts";
import type { Holder, Region } from "./elaborate.ts";
import { GridRefusal } from "./grid/grid.ts";
import { type Domain, type FlatMemory, type FlatSignal, type FlatWrite, makeNet, type Net } from "./net.ts";

export const netOf = (node: Node & { op: "ref" }): Net => node.signal as Net;

export const refNet = (net: Net): Node => ({ op: "ref", signal: net, width: net.width, signed: net.signed });

/** Node from raw parts, for operators that the language builds only in other widths. */
export const raw = (node: Node): Node => node;

/** Values that nets have at a place in a block of statements. */
class Values {
  readonly own = new Map<Net, Node>();
  readonly #outer: Values | undefined;

  constructor(outer?: Values) {
    this.#outer = outer;
  }

  get(net: Net): Node {
    return this.own.get(net) ?? this.#outer?.get(net) ?? refNet(net);
  }
}

type Read = (net: Net) => Node;

/** Index of the net that holds a bit. */
const netAt = (nets: readonly Net[], bit: number): number => {
  let [first, last] = [0, nets.length - 1];
  while (first < last) {
    const middle = (first + last + 1) >> 1;
    if (nets[middle]!.low <= bit) first = middle;
    else last = middle - 1;
  }
  return first;
};

/** Whether nets of a signal meet at a bit. */
const isCut = ({ nets, width }: Holder, bit: number): boolean => bit === width || nets[netAt(nets, bit)]!.low === bit;

/** Bits `low` and up of a signal, as an unsigned node. */
export const readBits = ({ nets }: Pick<FlatSignal, "nets">, low: number, width: number, read: Read): Node => {
  const parts: Node[] = [];
  for (let index = netAt(nets, low); index < nets.length && nets[index]!.low < low + width; index++) {
    const net = nets[index]!;
    const from = Math.max(low, net.low);
    const to = Math.min(low + width, net.low + net.width);
    parts.push(to - from === net.width ? castSign(read(net), false) : sliceOf(read(net), from - net.low, to - from));
  }
  return catOf(parts.toReversed());
};

/** The whole value with its own sign, of one net without a detour. */
const readWhole = (holder: Holder, read: Read): Node => {
  const [only] = holder.nets;
  return only !== undefined && holder.nets.length === 1 ? read(only) : readBits(holder, 0, holder.width, read);
};

/** Values of an index for each of which a choice is written out. */
const mostIndexBits = 6;

/** Turns the expressions of one region's items into expressions over nets. */
export class Reader {
  readonly region: Region;
  readonly #memo = new Map<Node, Node>();
  readonly #garbage: Net[];
  readonly #beyond = new Map<Holder, Net>();

  /** @param garbage collects the nets that stand for bits beyond a signal */
  constructor(region: Region, garbage: Net[]) {
    this.region = region;
    this.#garbage = garbage;
  }

  /** With nets as they are before a block runs. */
  node(node: Node): Node {
    return this.#convert(node, refNet, this.#memo);
  }

  /** With nets as statements have set them so far. */
  nodeIn(node: Node, values: Values): Node {
    return this.#convert(node, (net) => values.get(net), new Map());
  }

  offset(select: NonNullable<Place["select"]>, convert: (node: Node) => Node): { readonly offset: Node; readonly most: number } {
    const most = select.dynamic.reduce((sum, { index, stride }) => sum + (2 ** index.width - 1) * stride, this.region.offset(select));
    const width = Math.max(1, clog2(most + 1));
    let offset: Node = lit(BigInt(this.region.offset(select)), width, false);
    for (const { index, stride } of select.dynamic) {
      const wide = castSign(convert(index), false);
      const scaled = raw({ op: "mul", a: wide, b: lit(BigInt(stride), width, false), width: Math.max(width, wide.width), signed: false });
      offset = raw({ op: "add", a: offset, b: scaled, width: Math.max(width, wide.width), signed: false });
    }
    return { offset, most };
  }

  /** First bits of the parts that indices can choose, by the value of `indexOf`; undefined where there are many, or one lies half beyond the signal. */
  parts({ width }: Holder, select: Select): readonly number[] | undefined {
    const bits = select.dynamic.reduce((sum, { index }) => sum + index.width, 0);
    if (bits > mostIndexBits) return undefined;
    const first = this.region.offset(select);
    const lows = Array.from({ length: 2 ** bits }, (_, value) => {
      let rest = value;
      return select.dynamic.reduce((low, { index, stride }) => {
        const own = rest % 2 ** index.width;
        rest = (rest - own) / 2 ** index.width;
        return low + own * stride;
      }, first);
    });
    return lows.every((low) => low >= width || low + select.width <= width) ? lows : undefined;
  }

  /** All indices of a part as one number, the first in the lowest bits. */
  indexOf({ dynamic }: Select, convert: (node: Node) => Node): Node {
    return catOf(dynamic.toReversed().map(({ index }) => castSign(convert(index), false)));
  }

  /** One of several parts, by the bits of an index. */
  #chosen(holder: Holder, index: Node, lows: readonly number[], width: number, read: Read): Node {
    const last = Math.max(...lows) + width;
    const part = (low: number): Node =>
      low < holder.width ? readBits(holder, low, width, read) : sliceOf(this.#above(holder, last - holder.width), low - holder.width, width);
    let level = lows.map(part);
    for (let bit = 0; level.length > 1; bit++) {
      const sel = sliceOf(index, bit, 1);
      level = Array.from({ length: level.length / 2 }, (_, at) => choose(sel, level[2 * at + 1]!, level[2 * at]!));
    }
    return level[0]!;
  }

  #convert(node: Node, read: Read, memo: Map<Node, Node>): Node {
    const known = memo.get(node);
    if (known !== undefined) return known;
    const convert = (operand: Node): Node => this.#convert(operand, read, memo);
    const made = node.op === "ref" ? this.#ref(node, read, convert) : rebuilt(node, convert);
    memo.set(node, made);
    return made;
  }

  #ref(node: Node & { op: "ref" }, read: Read, convert: (node: Node) => Node): Node {
    const holder = this.region.holder(node.signal);
    const { select } = node;
    if (select === undefined) return castSign(readWhole(holder, read), node.signed);
    if (select.dynamic.length === 0 && this.region.variesByCell(select)) return this.#cellPart(holder, select, node);
    if (select.dynamic.length === 0) return castSign(readBits(holder, this.region.offset(select), node.width, read), node.signed);
    if (this.region.grid !== undefined) throw new GridRefusal(this.region.grid.item, "an index is computed at run time");
    const lows = this.parts(holder, select);
    if (lows !== undefined) return castSign(this.#chosen(holder, this.indexOf(select, convert), lows, node.width, read), node.signed);
    const { offset, most } = this.offset(select, convert);
    const missing = most + node.width - holder.width;
    const whole = castSign(readWhole(holder, read), false);
    const all = missing > 0 ? catOf([this.#above(holder, missing), whole]) : whole;
    const shifted = raw({ op: "shr", a: all, amount: offset, width: all.width, signed: false });
    return castSign(node.width === all.width ? shifted : raw({ op: "trunc", a: shifted, width: node.width, signed: false }), node.signed);
  }

  /** A part that each cell of a grid has for itself. */
  #cellPart(holder: Holder, select: Select, { width, signed }: Node): Node {
    return { op: "ref", signal: holder.array, select: this.cellSelect(select), width, signed };
  }

  /** Only the loops of the grid are left in it. */
  cellSelect(select: Select): Select {
    const { grid } = this.region;
    return { ...select, constant: this.region.offset(select), loops: select.loops.filter(({ loop }) => grid?.loops.includes(loop) === true) };
  }

  /** Bits above a signal that an index can reach. */
  #above(holder: Holder, width: number): Node {
    let net = this.#beyond.get(holder);
    if (net === undefined || net.width < width) {
      const { garbage, signal } = holder;
      const name = `${signal.name} beyond`;
      net = makeNet(name, signal, { width, signed: false }, { kind: "garbage" }, { garbage: () => garbage.bits(name, width) });
      this.#garbage.push(net);
      this.#beyond.set(holder, net);
    }
    return sliceOf(refNet(net), 0, width);
  }
}

const rebuilt = (node: Node, convert: (node: Node) => Node): Node => {
  switch (node.op) {
    case "lit":
    case "ref":
      return node;
    case "mux":
      return { ...node, sel: convert(node.sel), a: convert(node.a), b: convert(node.b) };
    case "cat":
      return { ...node, parts: node.parts.map(convert) };
    case "shl":
    case "shr":
      return { ...node, a: convert(node.a), amount: typeof node.amount === "number" ? node.amount : convert(node.amount) };
    default:
      return "b" in node ? { ...node, a: convert(node.a), b: convert(node.b) } : { ...node, a: convert(node.a) };
  }
};

export const one = lit(1n, 1, false);

export const bothOf = (a: Node, b: Node): Node => (a === one ? b : b === one ? a : raw({ op: "and", a, b, width: 1, signed: false }));

export const eitherOf = (a: Node, b: Node): Node => raw({ op: "or", a, b, width: 1, signed: false });

export const inverse = (a: Node): Node => raw({ op: "not", a, width: 1, signed: false });

export const choose = (sel: Node, a: Node, b: Node): Node => (a === b ? a : raw({ op: "mux", sel, a, b, width: a.width, signed: a.signed }));

/** Runs a block of statements with nets as values; what it leaves are the values at its end. */
export class Block {
  readonly #reader: Reader;
  readonly #blocking: boolean;
  readonly #onWrite: (memory: Memory, write: Omit<FlatWrite, "domain">) => void;

  constructor(reader: Reader, blocking: boolean, onWrite: (memory: Memory, write: Omit<FlatWrite, "domain">) => void) {
    this.#reader = reader;
    this.#blocking = blocking;
    this.#onWrite = onWrite;
  }

  run(body: readonly Statement[]): ReadonlyMap<Net, Node> {
    const values = new Values();
    this.#run(body, values, one);
    return values.own;
  }

  #node(node: Node, values: Values): Node {
    return this.#blocking ? this.#reader.nodeIn(node, values) : this.#reader.node(node);
  }

  #run(body: readonly Statement[], values: Values, condition: Node): void {
    for (const statement of body) {
      switch (statement.kind) {
        case "set":
          this.#set(statement.place, this.#node(statement.value, values), values);
          break;
        case "if": {
          const sel = this.#node(statement.condition, values);
          const [then, otherwise] = [new Values(values), new Values(values)];
          this.#run(statement.body, then, bothOf(condition, sel));
          this.#run(statement.otherwise, otherwise, bothOf(condition, inverse(sel)));
          for (const net of new Set([...then.own.keys(), ...otherwise.own.keys()])) values.own.set(net, choose(sel, then.get(net), otherwise.get(net)));
          break;
        }
        case "case":
          this.#case(statement, values, condition);
          break;
        case "write":
          this.#onWrite(statement.memory, {
            condition,
            address: this.#node(statement.address, values),
            data: this.#node(statement.data, values),
            mask: statement.mask === undefined ? undefined : this.#node(statement.mask, values),
          });
      }
    }
  }

  /** The last arm takes all values that no other has. */
  #case({ subject, arms }: Statement & { kind: "case" }, values: Values, condition: Node): void {
    const value = this.#node(subject, values);
    let before: Node = condition;
    const outcomes = arms.map((arm, index) => {
      const last = index === arms.length - 1;
      const sel = last ? one : raw({ op: "eq", a: value, b: lit(arm.value, value.width, value.signed), width: 1, signed: false });
      const inner = new Values(values);
      this.#run(arm.body, inner, last ? before : bothOf(before, sel));
      if (!last) before = bothOf(before, inverse(sel));
      return { sel, inner };
    });
    for (const net of new Set(outcomes.flatMap(({ inner }) => [...inner.own.keys()]))) {
      const chosen = outcomes.reduceRight<Node | undefined>(
        (rest, { sel, inner }) => (rest === undefined ? inner.get(net) : choose(sel, inner.get(net), rest)),
        undefined,
      );
      values.own.set(net, chosen!);
    }
  }

  #set({ signal, select }: Place, value: Node, values: Values): void {
    const { region } = this.#reader;
    const holder = region.holder(signal);
    if (region.grid !== undefined && (!holder.inGrid || (select !== undefined && region.variesByCell(select))))
      throw new GridRefusal(region.grid.item, "a cell sets a signal around it");
    if (select === undefined) return setBits(holder, 0, value, values.own);
    if (select.dynamic.length === 0) return setBits(holder, region.offset(select), value, values.own);
    const convert = (node: Node): Node => this.#node(node, values);
    const lows = this.#reader.parts(holder, select);
    const inside = lows?.filter((low) => low < holder.width) ?? [];
    if (lows !== undefined && inside.every((low) => isCut(holder, low) && isCut(holder, low + value.width))) {
      const index = this.#reader.indexOf(select, convert);
      lows.forEach((low, at) => {
        if (low >= holder.width) return;
        const hit = raw({ op: "eq", a: index, b: lit(BigInt(at), index.width, false), width: 1, signed: false });
        setBits(holder, low, value, { set: (net, part) => values.own.set(net, choose(hit, part, values.get(net))) });
      });
      return;
    }
    const { offset } = this.#reader.offset(select, convert);
    const { width } = holder;
    const old = readBits(holder, 0, width, (net) => values.get(net));
    const shifted = (a: Node): Node => raw({ op: "shl", a: castSign(a, false), amount: offset, width, signed: false });
    const hole = raw({ op: "not", a: shifted(lit((1n << BigInt(value.width)) - 1n, value.width, false)), width, signed: false });
    const kept = raw({ op: "and", a: old, b: hole, width, signed: false });
    setBits(holder, 0, stepOf(holder, raw({ op: "or", a: kept, b: shifted(value), width, signed: false })), values.own);
  }
}

/** A net for what a wide signal is after one of several statements, so that long expressions can be divided into functions. */
const stepOf = ({ signal, inGrid }: Holder, value: Node): Node =>
  refNet(makeNet(`${signal.name} step`, signal, value, { kind: "comb", value }, { cell: inGrid }));

/** Gives the nets of a part of a signal their pieces of a value. */
export const setBits = (holder: Holder, low: number, value: Node, into: { set(net: Net, value: Node): unknown }): void => {
  const { nets } = holder;
  for (let index = netAt(nets, low); index < nets.length && nets[index]!.low < low + value.width; index++) {
    const net = nets[index]!;
    const whole = net.low === low && net.width === value.width;
    into.set(net, castSign(whole ? value : sliceOf(value, net.low - low, net.width), net.signed));
  }
};

/** 1 where a word that is read changes at the same edge, for a read that calls this undefined. */
export const collides = (read: MemoryRead, address: Node, { memory, words, writes }: FlatMemory, rising: (domain: Domain) => Node): Node | undefined => {
  if (read.collision !== "undefined") return undefined;
  // A write beyond the last word, or of no lane, changes nothing.
  const width = address.width;
  const inside = memory.depth === words ? one : raw({ op: "lt", a: address, b: lit(BigInt(memory.depth), width, false), width: 1, signed: false });
  return writes.reduce<Node | undefined>((sum, write) => {
    const same = raw({ op: "eq", a: write.address, b: address, width: 1, signed: false });
    const lanes = write.mask === undefined ? one : reduce("any", write.mask);
    const hit = [same, rising(write.domain), lanes, inside].reduce(bothOf, write.condition);
    return sum === undefined ? hit : eitherOf(sum, hit);
  }, undefined);
};
