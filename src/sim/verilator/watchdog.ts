/** C++ that ends an evaluation which makes no progress, and turns what the model throws into a status. */
export const watchdog = String.raw`
// The watchdog: a thread looks several times a second whether eval still makes progress, and throws the simulation's
// thread out of it otherwise. Only code of this library is interrupted, never malloc or the like, so nothing stays locked.
volatile sig_atomic_t in_call = 0;
volatile uint64_t progress = 0;
sigjmp_buf way_out;
pthread_t simulation_thread;
volatile double hang_seconds = 10;
uintptr_t code_begin = 0, code_end = 0;
const int hang_signal = SIGRTMIN + 7;

int find_own_code(dl_phdr_info* info, size_t, void*) {
  const uintptr_t here = reinterpret_cast<uintptr_t>(&find_own_code);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || here < begin || here >= begin + segment.p_memsz) continue;
    code_begin = begin;
    code_end = begin + segment.p_memsz;
    return 1;
  }
  return 0;
}

uintptr_t interrupted_at(void* context) {
#if defined(__x86_64__)
  return static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return static_cast<ucontext_t*>(context)->uc_mcontext.pc;
#else
  return code_begin;
#endif
}

bool in_own_code(void* context) {
  const uintptr_t at = interrupted_at(context);
  return in_call && at >= code_begin && at < code_end;
}

void leave_hang(void* context) {
  if (in_own_code(context)) siglongjmp(way_out, 2);
}

// A crash in the model's own code ends the call with an error; any other goes to whoever handled it before.
const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
struct sigaction handled_before[4];

void on_crash_signal(int signal, siginfo_t* info, void* context) {
  if (in_own_code(context)) siglongjmp(way_out, 4);
  for (int i = 0; i < 4; ++i) {
    if (crash_signals[i] != signal) continue;
    const struct sigaction& before = handled_before[i];
    if (before.sa_flags & SA_SIGINFO) before.sa_sigaction(signal, info, context);
    else sigaction(signal, &before, nullptr);
  }
}

// Several libraries share the signal's one handler, so the library that means it is named in the signal.
void on_hang_signal(int, siginfo_t* info, void* context) {
  if (info->si_code == SI_QUEUE && info->si_value.sival_ptr) reinterpret_cast<void (*)(void*)>(info->si_value.sival_ptr)(context);
}

// Processor time of the simulation's thread, so that a busy machine is no hang.
double time_used() {
  clockid_t clock;
  timespec time = {};
  if (pthread_getcpuclockid(simulation_thread, &clock) == 0) clock_gettime(clock, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

void* watch(void*) {
  uint64_t seen = 0;
  double since = time_used();
  for (;;) {
    const timespec pause = {0, 100000000};
    nanosleep(&pause, nullptr);
    if (!in_call || progress != seen) { seen = progress; since = time_used(); continue; }
    if (time_used() - since < hang_seconds) continue;
    sigval value;
    value.sival_ptr = reinterpret_cast<void*>(&leave_hang);
    pthread_sigqueue(simulation_thread, hang_signal, value);
  }
  return nullptr;
}

void start_watchdog() {
  simulation_thread = pthread_self();
  static bool running = false;
  if (running) return;
  running = true;
  dl_iterate_phdr(find_own_code, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_hang_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
  sigaction(hang_signal, &action, nullptr);
  action.sa_sigaction = on_crash_signal;
  for (int i = 0; i < 4; ++i) sigaction(crash_signals[i], &action, &handled_before[i]);
  pthread_t thread;
  pthread_create(&thread, nullptr, watch, nullptr);
  pthread_detach(thread);
}

template <class Body> int guarded(Instance& s, Body body) {
  if (__builtin_expect(s.broken, 0)) return 3;
  const int left = sigsetjmp(way_out, 0);
  if (__builtin_expect(left, 0)) {
    in_call = 0;
    s.broken = true;
    memcpy(s.words + at_cycle, &s.cycles, 8);
    return left;
  }
  ++progress;
  in_call = 1;
  int status = 0;
  try {
    body();
  } catch (const Event& event) {
    last_event = event;
    status = 1;
    memcpy(s.words + at_cycle, &s.cycles, 8);
  }
  in_call = 0;
  s.words[at_printed] = static_cast<uint32_t>(printed.size());
  return status;
}
`;
