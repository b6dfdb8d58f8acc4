// Drives a core compiled by CXXRTL: whole samples in, all words out, no Python per cycle.
// DESIGN names the generated source; the core's ports are those of docs/core.md. MEMBERS names a
// list of the registers and memories of its class: REGISTER(member, bits), MEMORY(member, bits).

#include DESIGN

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using Core = cxxrtl_design::p_ranvier__core;

enum Status { DONE = 0, HANG = 1, FLOOD = 2, FEEDBACK = 3, ENDLESS = 4 };

// Payload ports are wires (registered) or plain values (combinational); both look alike here.
template<size_t Bits>
const cxxrtl::value<Bits> &now(const cxxrtl::value<Bits> &port) { return port; }
template<size_t Bits>
const cxxrtl::value<Bits> &now(const cxxrtl::wire<Bits> &port) { return port.curr; }

template<class Port>
bool bit(const Port &port) { return now(port).data[0] & 1; }

template<class Port>
void put(Port &port, uint64_t word) {
    for (size_t n = 0; n < port.chunks; n++)
        port.data[n] = uint32_t(word >> (32 * n));
}

// SplitMix64: any seed gives a good stream.
struct Random {
    uint64_t state;
    uint64_t next() {
        uint64_t z = (state += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
};

// The words that a stream gave, `chunks` 32-bit words each.
struct Sink {
    std::vector<uint32_t> words;
    int64_t count = 0;
    bool ended = false;

    template<class Payload>
    void take(const Payload &payload, int last_bit) {
        const auto &value = now(payload);
        words.insert(words.end(), value.data, value.data + value.chunks);
        count++;
        ended |= (value.data[last_bit / 32] >> (last_bit % 32)) & 1;
    }
    void clear() { words.clear(); count = 0; ended = false; }
};

// A register, or a memory of many words: where its bits are kept, `stride` chunks a word.
struct Member {
    const char *name;
    int32_t bits;
    uint32_t *now, *next;  // a register has both, and is the same in both between two cycles
    size_t stride;

    void flip(int64_t word, int64_t bit) {
        size_t chunk = word * stride + bit / 32;
        now[chunk] ^= uint32_t(1) << (bit % 32);
        if (next) next[chunk] ^= uint32_t(1) << (bit % 32);
    }
};

// A bit that flips when its time has come; an array of them is sorted.
struct Flip {
    int64_t time, member, word, bit;
};

struct Flips {
    const Flip *next, *end;

    void strike(std::vector<Member> &members, int64_t time) {
        for (; next != end && next->time <= time; next++)
            members[next->member].flip(next->word, next->bit);
    }
};

struct Simulation {
    Core core;
    std::vector<Member> registers{
#define REGISTER(member, bits) \
        {#member, bits, core.member.curr.data, core.member.next.data, core.member.curr.chunks},
#define MEMORY(member, bits)
#include MEMBERS
#undef REGISTER
#undef MEMORY
    };
    std::vector<Member> memories{
#define REGISTER(member, bits)
#define MEMORY(member, bits) \
        {#member, bits, core.member.data[0].data, nullptr, core.member.data[0].chunks},
#include MEMBERS
    };
    Sink spikes, trace;
    int64_t cycles = 0;
    int64_t latency = 0;  // of the last sample: from the first word taken on `i` to the decision
    uint32_t answer = 0;  // of the bus, in the last cycle
    bool converged = true;
    int spike_last, trace_last;

    Simulation(int spike_last, int trace_last) : spike_last(spike_last), trace_last(trace_last) {}

    // A cycle is `settle`, then `edge`. Between them outputs have the values of this cycle. One
    // evaluation does for both: it computes combinational outputs from the state before the edge,
    // and the state after it, which `edge` commits. That needs a core without feedback between
    // combinational outputs and inputs, where the evaluation converges at once.
    void settle() {
        put(core.p_clk, 1);
        put(core.prev_p_clk, 0);
        converged &= core.eval();
    }
    void edge() { core.commit(); cycles++; }

    // Take what the streams give this cycle. Returns whether anything moved.
    bool collect() {
        bool spike = bit(core.p_o____valid) && bit(core.p_o____ready);
        bool record = bit(core.p_trace____valid) && bit(core.p_trace____ready);
        if (spike) spikes.take(core.p_o____payload, spike_last);
        if (record) trace.take(core.p_trace____payload, trace_last);
        return spike || record;
    }

    void idle_inputs() {
        put(core.p_i____valid, 0);
        put(core.p_o____ready, 1);
        put(core.p_trace____ready, 1);
        put(core.p_bus____w__en, 0);
        put(core.p_bus____r__en, 0);
    }

    void cycle() {
        settle();
        collect();
        answer = now(core.p_bus____r__data).data[0];
        edge();
    }

    void reset() {
        idle_inputs();
        put(core.p_rst, 1);
        cycle();
        cycle();
        put(core.p_rst, 0);
    }

    uint32_t read(uint32_t address) {
        idle_inputs();
        put(core.p_bus____address, address);
        put(core.p_bus____r__en, 1);
        cycle();
        put(core.p_bus____r__en, 0);
        cycle();
        return answer;
    }

    void write(uint32_t address, uint32_t data) {
        idle_inputs();
        put(core.p_bus____address, address);
        put(core.p_bus____w__data, data);
        put(core.p_bus____w__en, 1);
        cycle();
        put(core.p_bus____w__en, 0);
    }

    // Run one sample to the last word of both outputs. `stall` is a probability times 2^32; each
    // of the three streams is held up with it, a cycle at a time, from `seed`. `upsets` strike
    // memories when the first tick from theirs on has started: the core must be at rest, so that
    // it starts with the first word it is offered. `strikes` strike registers in the cycles after
    // the one in which that is taken.
    int run(const uint64_t *words, int64_t count, uint64_t stall, uint64_t seed,
            const int64_t *limits, Flips upsets, Flips strikes) {
        const int64_t quiet_limit = limits[0], word_limit = limits[1], cycle_limit = limits[2];
        Random random{seed};
        idle_inputs();
        int64_t sent = 0, quiet = 0, begun = 0, entered = cycles;
        bool offering = false, started = false;
        while (!(spikes.ended && trace.ended)) {
            if (sent < count && !offering && (random.next() >> 32) >= stall) {
                offering = true;  // a stream may not take back what it offered
                put(core.p_i____payload, words[sent]);
            }
            put(core.p_i____valid, offering);
            if (stall) {
                put(core.p_o____ready, (random.next() >> 32) >= stall);
                put(core.p_trace____ready, (random.next() >> 32) >= stall);
            }
            started |= offering;
            settle();
            bool decided = spikes.ended, moved = collect();
            if (spikes.ended && !decided) latency = cycles - begun;
            if (offering && bit(core.p_i____ready)) {
                if (sent == 0) begun = cycles;
                offering = false;
                moved = true;
                sent++;
            }
            edge();
            if (started) upsets.strike(memories, core.p_scheduler_2e_tick.curr.data[0]);
            if (sent) strikes.strike(registers, cycles - begun - 1);
            if (!converged) return FEEDBACK;
            quiet = moved ? 0 : quiet + 1;
            if (quiet > quiet_limit) return HANG;
            if (spikes.count > word_limit || trace.count > word_limit) return FLOOD;
            if (cycles - entered > cycle_limit) return ENDLESS;
        }
        idle_inputs();
        return DONE;
    }
};

}  // namespace

extern "C" {

// Bits of the payloads of i, o and trace, to be checked against the layouts.
void core_widths(int32_t *widths) {
    widths[0] = int32_t(decltype(Core::p_i____payload)::bits);
    widths[1] = int32_t(decltype(Core::p_o____payload)::bits);
    widths[2] = int32_t(decltype(Core::p_trace____payload)::bits);
}

Simulation *core_create(int32_t spike_last, int32_t trace_last) {
    auto *simulation = new Simulation(spike_last, trace_last);
    simulation->reset();
    return simulation;
}

void core_destroy(Simulation *simulation) { delete simulation; }

// Reads and writes on the bus, in turn; a read leaves its answer in `data`.
void core_bus(Simulation *simulation, const uint32_t *writes, const uint32_t *addresses,
              uint32_t *data, int64_t count) {
    for (int64_t n = 0; n < count; n++) {
        if (writes[n]) simulation->write(addresses[n], data[n]);
        else data[n] = simulation->read(addresses[n]);
    }
}

// `limits` are those of cycles without a word, of words, and of cycles.
int32_t core_run(Simulation *simulation, const uint64_t *words, int64_t count, uint64_t stall,
                 uint64_t seed, const int64_t *limits, const Flip *upsets, int64_t upset_count,
                 const Flip *strikes, int64_t strike_count) {
    return simulation->run(words, count, stall, seed, limits, {upsets, upsets + upset_count},
                           {strikes, strikes + strike_count});
}

// Name and width of a register, or else of a memory; no name behind the last one.
const char *core_member(const Simulation *simulation, int32_t memory, int64_t index,
                        int32_t *bits) {
    const auto &members = memory ? simulation->memories : simulation->registers;
    if (size_t(index) >= members.size()) return nullptr;
    *bits = members[index].bits;
    return members[index].name;
}

int64_t core_cycles(const Simulation *simulation) { return simulation->cycles; }

int64_t core_latency(const Simulation *simulation) { return simulation->latency; }

// How many words of `o` and `trace` wait to be taken.
void core_counts(const Simulation *simulation, int64_t *counts) {
    counts[0] = simulation->spikes.count;
    counts[1] = simulation->trace.count;
}

// Copy the waiting words into arrays of that size, and forget them.
void core_take(Simulation *simulation, uint32_t *spikes, uint32_t *trace) {
    auto &from = *simulation;
    std::memcpy(spikes, from.spikes.words.data(), 4 * from.spikes.words.size());
    std::memcpy(trace, from.trace.words.data(), 4 * from.trace.words.size());
    from.spikes.clear();
    from.trace.clear();
}

}  // extern "C"
