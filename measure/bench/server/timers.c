/* Answers that are due later: a binary heap, the next one at its top. And the clock and the dice for it. */

#include "server.h"

#include <stdlib.h>
#include <time.h>

static struct timer *heap;
static size_t used, room;

int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void timers_add(struct timer timer) {
  if (used == room) {
    room = room ? 2 * room : 4096;
    heap = realloc(heap, room * sizeof *heap);
    if (!heap) abort();
  }
  size_t place = used++;
  for (; place && heap[(place - 1) / 2].due_us > timer.due_us; place = (place - 1) / 2)
    heap[place] = heap[(place - 1) / 2];
  heap[place] = timer;
}

const struct timer *timers_next(void) { return used ? heap : NULL; }

void timers_drop_next(void) {
  struct timer last = heap[--used];
  size_t place = 0;
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= used) break;
    if (child + 1 < used && heap[child + 1].due_us < heap[child].due_us) child++;
    if (heap[child].due_us >= last.due_us) break;
    heap[place] = heap[child];
    place = child;
  }
  heap[place] = last;
}

/* xorshift64*: fast, and good enough for delays and for IDs that must only differ. */
uint64_t random_bits(void) {
  static uint64_t state;
  if (!state) state = (uint64_t)now_us() * 2654435761u + 1;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 2685821657736338717u;
}
