/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "server/process.h"
#include "server/version.h"

enum { FRAMES_MAX = 64, STACK_BYTES = 64 * 1024 };

static const struct {
    int number;
    const char *name;
} crash_signals[] = {{SIGSEGV, "SIGSEGV"},
                     {SIGBUS, "SIGBUS"},
                     {SIGFPE, "SIGFPE"},
                     {SIGILL, "SIGILL"},
                     {SIGABRT, "SIGABRT"}};
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof *crash_signals };

static void (*describe_function)(void *context);
static void *describe_context;
static atomic_flag reporting = ATOMIC_FLAG_INIT;
static _Thread_local bool reporting_here;

/* ---- text, without stdio ---- */

void crash_text(const char *text) {
    log_raw(text, strlen(text));
}

void crash_decimal(int64_t number) {
    char digits[24], *at = digits + sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0) *--at = '-';
    log_raw(at, (size_t)(digits + sizeof digits - at));
}

void crash_hex(uint64_t number) {
    char digits[16];
    for (int i = 15; i >= 0; i--, number >>= 4) digits[i] = "0123456789abcdef"[number & 15];
    log_raw(digits, sizeof digits);
}

/* ---- the report ---- */

static void write_register(const char *name, uint64_t value, bool last_in_line) {
    crash_text(name);
    crash_text(":");
    crash_hex(value);
    crash_text(last_in_line ? "\n" : " ");
}

static void write_registers(const ucontext_t *context) {
    crash_text("\n------ REGISTERS ------\n");
#if defined(__x86_64__)
    static const struct {
        const char *name;
        int index;
    } registers[] = {{"RAX", REG_RAX}, {"RBX", REG_RBX}, {"RCX", REG_RCX},       {"RDX", REG_RDX},
                     {"RDI", REG_RDI}, {"RSI", REG_RSI}, {"RBP", REG_RBP},       {"RSP", REG_RSP},
                     {"R8 ", REG_R8},  {"R9 ", REG_R9},  {"R10", REG_R10},       {"R11", REG_R11},
                     {"R12", REG_R12}, {"R13", REG_R13}, {"R14", REG_R14},       {"R15", REG_R15},
                     {"RIP", REG_RIP}, {"EFL", REG_EFL}, {"CSGSFS", REG_CSGSFS}, {"ERR", REG_ERR}};
    for (int i = 0; i < (int)(sizeof registers / sizeof *registers); i++) {
        write_register(registers[i].name, (uint64_t)context->uc_mcontext.gregs[registers[i].index],
                       i % 4 == 3);
    }
#elif defined(__aarch64__)
    for (int i = 0; i < 31; i++) {
        char name[4] = {'X', (char)(i < 10 ? ' ' : '0' + i / 10), (char)('0' + i % 10), '\0'};
        write_register(name, context->uc_mcontext.regs[i], i % 4 == 3);
    }
    write_register("SP", context->uc_mcontext.sp, false);
    write_register("PC", context->uc_mcontext.pc, true);
#else
    (void)context;
    crash_text("(not known on this processor)\n");
#endif
}

static uint64_t fault_address(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static void write_report(int number, const siginfo_t *info, const ucontext_t *context) {
    const char *name = "?";
    for (int i = 0; i < CRASH_SIGNALS; i++) {
        if (crash_signals[i].number == number) name = crash_signals[i].name;
    }
    crash_text("\n=== KEYNOME BUG REPORT START ===\nKeynome " KN_VERSION " crashed by signal: ");
    crash_decimal(number);
    crash_text(" (");
    crash_text(name);
    crash_text("), si_code ");
    crash_decimal(info->si_code);
    crash_text("\nProcess ");
    crash_decimal(getpid());
    crash_text(", thread ");
    crash_decimal(syscall(SYS_gettid));
    if (info->si_code <= 0) {
        crash_text("\nSent by process ");
        crash_decimal(info->si_pid);
        crash_text(", user ");
        crash_decimal(info->si_uid);
    } else {
        crash_text("\nAccessing address 0x");
        crash_hex((uint64_t)(uintptr_t)info->si_addr);
    }
    crash_text("\nCrashed running the instruction at 0x");
    crash_hex(fault_address(context));
    crash_text("\n\n------ BACKTRACE ------\n");
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    backtrace_symbols_fd(frames, count, log_fd());
    write_registers(context);
    crash_text("\n------ SERVER ------\nredis_version:" REDIS_VERSION
               "\nkeynome_version:" KN_VERSION "\nused_memory:");
    crash_decimal((int64_t)memory_used());
    crash_text("\n");
    if (describe_function) describe_function(describe_context);
    crash_text("\n=== KEYNOME BUG REPORT END. Please report it with the lines above. ===\n\n");
}

static void on_crash(int number, siginfo_t *info, void *context) {
    bool again = reporting_here;
    if (!again && atomic_flag_test_and_set(&reporting)) {
        /* Another thread writes its report and ends the process. */
        for (;;) pause();
    }
    reporting_here = true;
    if (again) {
        crash_text("\nCrashed again while reporting.\n");
    } else {
        write_report(number, info, context);
        process_remove_pid_file();
    }
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t own;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
    sigemptyset(&own);
    sigaddset(&own, number);
    pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), number);
}

/* ---- installing ---- */

/* This thread's stack for the handler, and the one that it had before,
 * which may be a sanitizer's. */
static _Thread_local void *own_stack;
static _Thread_local stack_t stack_before;

bool crash_join_thread(void) {
    if (own_stack) return false;
    stack_t stack = {.ss_sp = mem_alloc(STACK_BYTES), .ss_size = STACK_BYTES};
    if (sigaltstack(&stack, &stack_before) == 0)
        own_stack = stack.ss_sp;
    else
        mem_free(stack.ss_sp);
    return own_stack != NULL;
}

void crash_leave_thread(void) {
    if (!own_stack) return;
    sigaltstack(&stack_before, NULL);
    mem_free(own_stack);
    own_stack = NULL;
}

void crash_install(void) {
    void *frame;
    /* The first call loads a library, which is not safe in a handler. */
    (void)!backtrace(&frame, 1);
    crash_join_thread();
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CRASH_SIGNALS; i++) sigaction(crash_signals[i].number, &action, NULL);
}

void crash_uninstall(void) {
    for (int i = 0; i < CRASH_SIGNALS; i++) signal(crash_signals[i].number, SIG_DFL);
    crash_leave_thread();
}

void crash_describe(void (*describe)(void *context), void *context) {
    describe_context = context;
    describe_function = describe;
}
