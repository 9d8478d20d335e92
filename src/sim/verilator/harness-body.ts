import { watchdog } from "./watchdog.ts";

/** What an instance is made of. */
const declarations = String.raw`
#include "verilated_syms.h"
#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <csignal>
#include <cstdarg>
#include <ctime>
#include <link.h>
#include <memory>
#include <pthread.h>
#include <string>
#include <ucontext.h>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

struct Event { const char* kind; std::string file; int line; std::string text; };

struct Instance {
  VerilatedContext context;
  std::unique_ptr<Vdut> model;
  uint32_t* words = nullptr;
  uint64_t cycles = 0;
  uint64_t time = 0, half = 0;
  double scale = 1;  // units of the model's time in a picosecond
  bool high = false, broken = false;
  std::vector<const VerilatedVar*> located;
#ifdef SYSTOLE_TRACE
  std::unique_ptr<TraceFile> trace;
#endif
};

std::vector<std::unique_ptr<Instance>> instances;
Instance* current = nullptr;
Event last_event;
std::string printed;
`;

const entryPoints = String.raw`
inline void eval(Instance& s) {
  ++progress;
  s.model->eval();
}

// Two events of one instant are dumped one unit of time apart: waveforms accept no second value for a time.
inline void dump(Instance& s, uint64_t time) {
  s.time = std::max(time, s.time + 1);
#ifdef SYSTOLE_TRACE
  if (s.trace) s.trace->dump(s.time);
#endif
}

inline bool traced(const Instance& s) {
#ifdef SYSTOLE_TRACE
  return s.trace != nullptr;
#else
  return false;
#endif
}

// In a waveform inputs change just after the edge, not half a cycle later.
inline void show_inputs(Instance& s) {
  if (!traced(s)) return;
  eval(s);
  dump(s, s.time + 1);
}

inline void apply_inputs(Instance& s) {
  apply(s.model->rootp, s.words);
  show_inputs(s);
}

// The clock falls, with the inputs in the model already.
inline void fall(Instance& s) {
  show_inputs(s);
  if (s.high) s.context.time(s.cycles * 2 * s.half + s.half);
  drive_clock(s.model->rootp, 0);
  s.high = false;
  eval(s);
  dump(s, s.context.time());
}

inline void low(Instance& s) {
  apply(s.model->rootp, s.words);
  fall(s);
}

inline void high(Instance& s) {
  s.context.time((s.cycles + 1) * 2 * s.half);
  drive_clock(s.model->rootp, 1);
  s.high = true;
  eval(s);
  ++s.cycles;
  dump(s, s.context.time());
}

inline void report(Instance& s) {
  publish(s.model->rootp, s.words);
  memcpy(s.words + at_cycle, &s.cycles, 8);
}

inline double time_argument(Instance& s) {
  double time;
  memcpy(&time, s.words + at_time, 8);
  return time * s.scale;
}

// Sizes that are known when this is compiled take an instruction or two.
inline void copy(unsigned char* to, const unsigned char* from, uint32_t bytes) {
  switch (bytes) {
    case 1: *to = *from; break;
    case 2: memcpy(to, from, 2); break;
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    case 16: memcpy(to, from, 16); break;
    case 32: memcpy(to, from, 32); break;
    default: memcpy(to, from, bytes);
  }
}

// A port and its column in a block: where it goes on, and by how many bytes a cycle.
struct Lane { Cell port; unsigned char* column; };
std::vector<Lane> stimulus_lanes, captured_lanes;
std::vector<const unsigned char*> conditions;

const uint32_t* find_lanes(Instance& s, const uint32_t* plan, unsigned char* column, uint32_t room, uint32_t align, std::vector<Lane>& lanes) {
  lanes.clear();
  for (uint32_t left = *plan++; left > 0; --left) {
    const Cell port = cell(s.model->rootp, *plan++);
    lanes.push_back({port, column});
    column += (static_cast<size_t>(room) * port.bytes + align - 1) / align * align;
  }
  return plan;
}

void run_block(Instance& s, uint32_t cycles) {
  for (uint32_t cycle = 0; cycle < cycles; ++cycle) {
    for (Lane& lane : stimulus_lanes) {
      copy(lane.port.at, lane.column, lane.port.bytes);
      lane.column += lane.port.bytes;
    }
    fall(s);
    bool record = true;
    for (const unsigned char* condition : conditions) record &= *condition != 0;
    if (record) {
      for (Lane& lane : captured_lanes) {
        copy(lane.column, lane.port.at, lane.port.bytes);
        lane.column += lane.port.bytes;
      }
      ++s.words[at_result];
    }
    high(s);
  }
}

}  // namespace

void vl_stop(const char* file, int line, const char*) { throw Event{"stop", file, line, ""}; }
void vl_finish(const char* file, int line, const char*) { throw Event{"finish", file, line, ""}; }
void vl_fatal(const char* file, int line, const char*, const char* text) { throw Event{"fatal", file, line, text}; }

extern "C" int systole_print(const char* format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  const int size = vsnprintf(nullptr, 0, format, arguments);
  const size_t before = printed.size();
  printed.resize(before + size + 1);
  vsnprintf(&printed[before], size + 1, format, again);
  printed.resize(before + size);
  va_end(again);
  va_end(arguments);
  return size;
}

EXPORT int sim_create(uint32_t seed, double half_period, double seconds) {
  hang_seconds = seconds;
  start_watchdog();
  auto s = std::make_unique<Instance>();
  s->context.randReset(2);
  s->context.randSeed(seed == 0 ? 1 : static_cast<int>(seed & 0x7fffffff));
#ifdef SYSTOLE_TRACE
  s->context.traceEverOn(true);
#endif
  Verilated::threadContextp(&s->context);
  s->model = std::make_unique<Vdut>(&s->context, "");
  s->scale = std::pow(10.0, -12 - s->context.timeprecision());
  s->half = std::max<uint64_t>(4, static_cast<uint64_t>(half_period * s->scale));
  instances.push_back(std::move(s));
  return static_cast<int>(instances.size()) - 1;
}

EXPORT void sim_attach(int handle, uint32_t* words) { instances[handle]->words = words; }

EXPORT void sim_select(int handle) {
  current = instances[handle].get();
  Verilated::threadContextp(&current->context);
}

EXPORT int sim_trace(const char* path) {
#ifdef SYSTOLE_TRACE
  current->trace = std::make_unique<TraceFile>();
  current->model->trace(current->trace.get(), 99);
  current->trace->open(path);
  return current->trace->isOpen() ? 0 : 1;
#else
  return 1;
#endif
}

EXPORT int sim_settle() {
  Instance& s = *current;
  return guarded(s, [&] {
    apply(s.model->rootp, s.words);
    eval(s);
    if (clock_count == 0) dump(s, s.time + s.half);
    report(s);
  });
}

EXPORT int sim_cycles() {
  Instance& s = *current;
  return guarded(s, [&] {
    const uint32_t count = s.words[at_argument];
    for (uint32_t i = 0; i < count; ++i) { low(s); high(s); }
    report(s);
  });
}

EXPORT int sim_edge() {
  Instance& s = *current;
  return guarded(s, [&] { high(s); low(s); report(s); });
}

EXPORT int sim_fall() {
  Instance& s = *current;
  return guarded(s, [&] {
    apply_inputs(s);
    const double time = time_argument(s);
    if (time >= 0) s.context.time(static_cast<uint64_t>(time));
    drive_clocks(s.model->rootp, s.words[at_argument], 0);
    eval(s);
    if (s.words[at_argument] & 1) s.high = false;
    if (time >= 0) dump(s, s.context.time());
    report(s);
  });
}

EXPORT int sim_rise() {
  Instance& s = *current;
  return guarded(s, [&] {
    s.context.time(static_cast<uint64_t>(time_argument(s)));
    drive_clocks(s.model->rootp, s.words[at_argument], 1);
    eval(s);
    if (s.words[at_argument] & 1) { ++s.cycles; s.high = true; }
    dump(s, s.context.time());
    report(s);
  });
}

// plan: cycles, room of a captured column in records, records in it already; then numbers of ports, each list after its
// length: inputs, conditions, outputs. Columns follow one another in the same order, captured ones at multiples of 8 bytes.
EXPORT int sim_block(const uint32_t* plan, unsigned char* stimulus, unsigned char* captured) {
  Instance& s = *current;
  return guarded(s, [&] {
    const uint32_t cycles = plan[0], records = plan[2];
    const uint32_t* next = find_lanes(s, plan + 3, stimulus, cycles, 1, stimulus_lanes);
    conditions.clear();
    for (uint32_t left = *next++; left > 0; --left) conditions.push_back(cell(s.model->rootp, *next++).at);
    find_lanes(s, next, captured, plan[1], 8, captured_lanes);
    for (Lane& lane : captured_lanes) lane.column += static_cast<size_t>(records) * lane.port.bytes;
    s.words[at_result] = records;
    apply(s.model->rootp, s.words);
    try {
      run_block(s, cycles);
    } catch (...) {
      recall(s.model->rootp, s.words);
      throw;
    }
    recall(s.model->rootp, s.words);
    report(s);
  });
}

// Result words: width, index of the first element, number of elements (0 for what is no memory), bytes of an element.
EXPORT int sim_locate(const char* scope, const char* name, int32_t* result) {
  const VerilatedScope* const found = current->context.scopeFind(scope);
  const VerilatedVar* const var = found ? found->varFind(name) : nullptr;
  if (!var || var->udims() > 1) return -1;
  result[0] = var->dims() > var->udims() ? var->packed().elements() : 1;
  result[1] = var->udims() ? var->unpacked().low() : 0;
  result[2] = var->udims() ? var->unpacked().elements() : 0;
  switch (var->vltype()) {
    case VLVT_UINT8: result[3] = 1; break;
    case VLVT_UINT16: result[3] = 2; break;
    case VLVT_UINT32: result[3] = 4; break;
    case VLVT_UINT64: result[3] = 8; break;
    case VLVT_WDATA: result[3] = 4 * ((result[0] + 31) / 32); break;
    default: return -1;
  }
  current->located.push_back(var);
  return static_cast<int>(current->located.size()) - 1;
}

EXPORT void sim_read(int located, uint32_t offset, uint32_t bytes, uint32_t* to) {
  memcpy(to, static_cast<const char*>(current->located[located]->datap()) + offset, bytes);
}

EXPORT void sim_write(int located, uint32_t offset, uint32_t bytes, const uint32_t* from) {
  memcpy(static_cast<char*>(current->located[located]->datap()) + offset, from, bytes);
}

EXPORT const char* sim_event_kind() { return last_event.kind; }
EXPORT const char* sim_event_file() { return last_event.file.c_str(); }
EXPORT int sim_event_line() { return last_event.line; }
EXPORT const char* sim_event_text() { return last_event.text.c_str(); }
EXPORT const char* sim_take_printed() {
  static std::string taken;
  taken.swap(printed);
  printed.clear();
  return taken.c_str();
}

EXPORT void sim_destroy(int handle) {
#ifdef SYSTOLE_TRACE
  if (instances[handle]->trace) instances[handle]->trace->close();
#endif
  if (current == instances[handle].get()) current = nullptr;
  instances[handle].reset();
}
`;

/**
 * The part of the harness that is the same for every model. All entry points take no arguments or few: what is called
 * every cycle talks through the shared array, because each argument costs a call from JavaScript several nanoseconds.
 *
 * Status returned: 0 done; 1 the model called $stop, $finish, $fatal or an assertion failed; 2 eval made no progress
 * until the deadline; 3 the instance was given up after a hang or a crash; 4 the model's code crashed.
 */
export const harnessBody = [declarations, watchdog, entryPoints].join("");
