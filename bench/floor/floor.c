/*
 * The engine's probing loop in plain C: the floor that its CPU time per probe is held against.
 *
 *   floor icmp|stamp SOURCE LOCAL SOCKETS REMOTE INTERVAL_MS TICK_MS TARGET...
 *
 * Does what src/probe/engine.ts does for each probe, no more and no less: a slot is opened, the packet written and sent
 * by sendmmsg with the others of the tick, TX stamps read from the error queue after each batch, replies read by
 * recvmmsg, checked, and filed with all four stamps. LOCAL is the ICMP identifier or the first of SOCKETS source ports,
 * REMOTE the reflector's port. Path i goes to TARGET i as STAMP session i + 1, paths of one socket are neighbours;
 * IPv4 only.
 *
 * Prints "probing" once its sockets are open. On SIGTERM it stops sending, waits for the last replies, prints its counts
 * and exits with 0 if each probe sent got its reply and its TX stamp, else with 1. What it cannot do at all: 2.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/net_tstamp.h>

enum {
  BATCH = 64,            /* messages a system call, as LIMITS.batchMessages */
  SLOTS = 16,            /* of a path; a power of two that covers Tmax at the slowest pace of the benchmark */
  KEYS = 2048,           /* TX stamps that may be outstanding */
  ECHO_BYTES = 8 + 56, STAMP_BYTES = 44,
  ROOM = 128,            /* octets for a received packet with its IP header */
  CONTROL = 256,         /* octets for its control messages */
  RECEIVE_BUFFER = 8 << 20,
  LAST_REPLIES_NS = 500000000,
  STAMPING = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY,
};

static const int64_t NS = 1000000000, TMAX_NS = 1000000000, SLEEP_NS_MAX = 50000000;
static const uint32_t MAGIC = 0x506f5070, SESSION = 0x666c6f6f, NTP_OFFSET_S = 2208988800u;

struct moment { uint32_t s, ns; };

enum state { EMPTY, DUE, SENT, RECEIVED, LATE };

struct slot {
  int64_t due_ns;
  uint32_t sequence, reflector_sequence;
  struct moment t1, t2, t3, t4;
  int32_t tx_delta_ns;
  enum state state;
};

struct path {
  struct sockaddr_in to;
  int64_t due_ns;
  uint32_t head;
  struct slot slots[SLOTS];
};

/* Messages for sendmmsg or recvmmsg, linked once and used again and again. */
struct batch {
  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  struct sockaddr_in names[BATCH];
  _Alignas(struct cmsghdr) unsigned char control[BATCH][CONTROL];
  unsigned char octets[BATCH][ROOM];
};

struct link {
  int fd;
  unsigned filled;
  uint32_t next_key;                /* the kernel numbers what a socket sends from 0 (SOF_TIMESTAMPING_OPT_ID) */
  struct slot *cookies[BATCH];      /* slot of each message to be sent */
  struct slot *by_key[KEYS];        /* slot of each packet whose TX stamp is outstanding */
  struct batch out, in, errors;
};

/* What the control messages of one packet said. */
struct said { int stamped, is_tx_stamp; uint32_t key; struct moment at; };

static int is_icmp;
static uint16_t local_port;
static unsigned path_count, link_count;
static struct path *paths;
static struct link *links;
static int64_t interval_ns, tick_ns, start_ns, now_ns;
static struct moment now; /* CLOCK_REALTIME when CLOCK_MONOTONIC was now_ns */
static unsigned long long sent, received, stamped, missed, refused, wrong;
static volatile sig_atomic_t is_ending;

static void die(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(2);
}

static void end(int signal) { is_ending = signal; }

static void put16(unsigned char *at, uint16_t value) { value = htons(value); memcpy(at, &value, 2); }
static void put32(unsigned char *at, uint32_t value) { value = htonl(value); memcpy(at, &value, 4); }
static uint16_t get16(const unsigned char *at) { uint16_t value; memcpy(&value, at, 2); return ntohs(value); }
static uint32_t get32(const unsigned char *at) { uint32_t value; memcpy(&value, at, 4); return ntohl(value); }

static void put_ntp(unsigned char *at, struct moment t) {
  put32(at, t.s + NTP_OFFSET_S);
  put32(at + 4, (uint32_t)(((uint64_t)t.ns << 32) / NS));
}

/* Rounded to nearest: what was written as whole nanoseconds comes back the same. */
static struct moment get_ntp(const unsigned char *at) {
  return (struct moment){get32(at) - NTP_OFFSET_S, (uint32_t)(((uint64_t)get32(at + 4) * NS + (1ull << 31)) >> 32)};
}

static int64_t difference_ns(struct moment a, struct moment b) {
  return (int64_t)(int32_t)(a.s - b.s) * NS + (int64_t)a.ns - (int64_t)b.ns;
}

static void read_clocks(void) {
  struct timespec mono, wall;
  clock_gettime(CLOCK_MONOTONIC, &mono);
  clock_gettime(CLOCK_REALTIME, &wall);
  now_ns = mono.tv_sec * NS + mono.tv_nsec;
  now = (struct moment){(uint32_t)wall.tv_sec, (uint32_t)wall.tv_nsec};
}

/* The Internet checksum's sum (RFC 1071): 0xffff over a message whose checksum is right. */
static uint16_t ones_sum(const unsigned char *octets, unsigned length) {
  uint32_t sum = 0;
  for (unsigned at = 0; at < length; at += 2) sum += get16(octets + at);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static uint32_t fill_word(unsigned at) { return (SESSION ^ at) * 0x9e3779b1u; }

static unsigned write_echo(unsigned char *packet, unsigned path, uint32_t sequence) {
  const uint32_t words[] = {8u << 24, (uint32_t)local_port << 16 | (sequence & 0xffff), MAGIC, SESSION, path << 16,
                            sequence, now.s, now.ns};
  for (unsigned i = 0; i < 8; i++) put32(packet + 4 * i, words[i]);
  for (unsigned at = 32; at < ECHO_BYTES; at += 4) put32(packet + at, fill_word(at));
  put16(packet + 2, (uint16_t)~ones_sum(packet, ECHO_BYTES));
  return ECHO_BYTES;
}

static unsigned write_stamp(unsigned char *packet, unsigned path, uint32_t sequence) {
  memset(packet, 0, STAMP_BYTES);
  put32(packet, sequence);
  put_ntp(packet + 4, now);
  put16(packet + 12, 0x2080); /* Error Estimate of an unsynchronised clock: off by up to a second */
  put16(packet + 14, (uint16_t)(path + 1));
  return STAMP_BYTES;
}

/* Files a reply whose session, source and content are right; the copy of T1 has to be the one that was sent. */
static void file(struct path *path, uint32_t sequence, struct moment t1, struct moment t4, const unsigned char *stamp) {
  struct slot *slot = &path->slots[sequence % SLOTS];
  int is_ours = path->head - sequence - 1 < 1u << 31 && slot->sequence == sequence && difference_ns(slot->t1, t1) == 0;
  if (!is_ours || slot->state != SENT) {
    wrong++;
    return;
  }
  slot->t4 = t4;
  if (stamp) {
    slot->t3 = get_ntp(stamp + 4);
    slot->t2 = get_ntp(stamp + 16);
    slot->reflector_sequence = get32(stamp);
  }
  slot->state = difference_ns(t4, t1) - slot->tx_delta_ns <= TMAX_NS ? RECEIVED : LATE;
  received += slot->state == RECEIVED;
}

static void read_echo(const unsigned char *packet, unsigned length, const struct sockaddr_in *from, struct moment t4) {
  unsigned header = (packet[0] & 0xfu) * 4;
  const unsigned char *icmp = packet + header;
  int is_ours = length == header + ECHO_BYTES && get16(icmp) == 0 && get32(icmp + 8) == MAGIC &&
    get32(icmp + 12) == SESSION && ones_sum(icmp, ECHO_BYTES) == 0xffff && get16(icmp + 16) < path_count;
  for (unsigned at = 32; is_ours && at < ECHO_BYTES; at += 4) is_ours = get32(icmp + at) == fill_word(at);
  struct path *path = is_ours ? &paths[get16(icmp + 16)] : NULL;
  if (!path || path->to.sin_addr.s_addr != from->sin_addr.s_addr) wrong++;
  else file(path, get32(icmp + 20), (struct moment){get32(icmp + 24), get32(icmp + 28)}, t4, NULL);
}

static void read_stamp(const unsigned char *packet, unsigned length, const struct sockaddr_in *from, struct moment t4) {
  unsigned session = length < STAMP_BYTES ? 0 : get16(packet + 14);
  struct path *path = session >= 1 && session <= path_count ? &paths[session - 1] : NULL;
  if (!path || path->to.sin_addr.s_addr != from->sin_addr.s_addr || path->to.sin_port != from->sin_port) wrong++;
  else file(path, get32(packet + 24), get_ntp(packet + 28), t4, packet);
}

static struct said read_control(struct msghdr *header) {
  struct said said = {0, 0, 0, {0, 0}};
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
      struct scm_timestamping stamps;
      memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
      said.at = (struct moment){(uint32_t)stamps.ts[0].tv_sec, (uint32_t)stamps.ts[0].tv_nsec};
      said.stamped = said.at.s != 0;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
      struct sock_extended_err error;
      memcpy(&error, CMSG_DATA(c), sizeof error);
      said.is_tx_stamp = error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
      said.key = error.ee_data;
    }
  }
  return said;
}

static void read_tx_stamp(struct link *link, struct said said) {
  struct slot *slot = said.is_tx_stamp && said.stamped ? link->by_key[said.key % KEYS] : NULL;
  if (!slot) return;
  slot->tx_delta_ns = (int32_t)difference_ns(said.at, slot->t1);
  link->by_key[said.key % KEYS] = NULL;
  stamped++;
}

/* Reads the error queue or, with `flags` 0, the replies, until nothing is left. */
static void read_all(struct link *link, struct batch *batch, int flags) {
  int count;
  do {
    count = recvmmsg(link->fd, batch->messages, BATCH, flags | MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN && errno != EINTR) die("recvmmsg");
    for (int i = 0; i < count; i++) {
      struct msghdr *header = &batch->messages[i].msg_hdr;
      struct said said = read_control(header);
      if (flags == MSG_ERRQUEUE) read_tx_stamp(link, said);
      else (is_icmp ? read_echo : read_stamp)(batch->octets[i], batch->messages[i].msg_len, &batch->names[i],
                                              said.stamped ? said.at : now);
      header->msg_controllen = CONTROL;
      header->msg_namelen = sizeof batch->names[i];
    }
  } while (count == BATCH);
}

/* Sends the batch; whatever the kernel refuses is counted and skipped. */
static void flush(struct link *link) {
  for (unsigned first = 0; first < link->filled;) {
    int count = sendmmsg(link->fd, link->out.messages + first, link->filled - first, MSG_DONTWAIT);
    for (int i = 0; i < count; i++, first++, sent++) {
      link->cookies[first]->state = SENT;
      link->by_key[link->next_key++ % KEYS] = link->cookies[first];
    }
    if (count < 1) first++, refused++;
  }
  if (link->filled > 0) read_all(link, &link->errors, MSG_ERRQUEUE);
  link->filled = 0;
}

static void write_probe(unsigned number, struct slot *slot) {
  struct link *link = &links[number * link_count / path_count];
  unsigned message = link->filled++;
  unsigned char *packet = link->out.octets[message];
  link->out.vectors[message].iov_len =
    is_icmp ? write_echo(packet, number, slot->sequence) : write_stamp(packet, number, slot->sequence);
  link->out.names[message] = paths[number].to;
  link->cookies[message] = slot;
  if (link->filled == BATCH) flush(link);
}

/* Sends what is due, or calls it missed like probe/schedule.ts; returns when the next probe falls due. */
static int64_t send_due(void) {
  int64_t next_ns = INT64_MAX;
  for (unsigned number = 0; number < path_count; number++) {
    struct path *path = &paths[number];
    for (; path->due_ns <= now_ns; path->due_ns += interval_ns) {
      struct slot *slot = &path->slots[path->head % SLOTS];
      *slot = (struct slot){.due_ns = path->due_ns, .sequence = path->head++, .t1 = now, .state = DUE};
      if (now_ns - path->due_ns > tick_ns + interval_ns / 2) missed++;
      else write_probe(number, slot);
    }
    if (path->due_ns < next_ns) next_ns = path->due_ns;
  }
  for (unsigned i = 0; i < link_count; i++) flush(&links[i]);
  return next_ns;
}

static void receive(void) {
  read_clocks();
  for (unsigned i = 0; i < link_count; i++) {
    read_all(&links[i], &links[i].errors, MSG_ERRQUEUE);
    read_all(&links[i], &links[i].in, 0);
  }
}

/* Until the first tick at or after `due_ns`, 50 ms at most; a signal ends it early. */
static void sleep_until(int64_t due_ns) {
  read_clocks();
  int64_t target = due_ns < now_ns + SLEEP_NS_MAX ? due_ns : now_ns + SLEEP_NS_MAX;
  int64_t wake = start_ns + (target - start_ns + tick_ns - 1) / tick_ns * tick_ns;
  struct timespec at = {wake / NS, wake % NS};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* Echo replies with our identifier only, as linux/socket.ts. */
static void filter_echo_replies(int fd) {
  struct icmp_filter types = {~(1u << ICMP_ECHOREPLY)};
  struct sock_filter code[] = {
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, local_port, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  if (setsockopt(fd, SOL_RAW, ICMP_FILTER, &types, sizeof types) != 0) die("ICMP_FILTER");
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) die("SO_ATTACH_FILTER");
}

static void link_batch(struct batch *batch, size_t control_bytes) {
  for (unsigned i = 0; i < BATCH; i++) {
    batch->vectors[i] = (struct iovec){batch->octets[i], ROOM};
    batch->messages[i].msg_hdr = (struct msghdr){.msg_name = &batch->names[i], .msg_namelen = sizeof batch->names[i],
      .msg_iov = &batch->vectors[i], .msg_iovlen = 1,
      .msg_control = control_bytes ? batch->control[i] : NULL, .msg_controllen = control_bytes};
  }
}

static void open_link(struct link *link, struct sockaddr_in source, unsigned number) {
  int fd = link->fd = is_icmp ? socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) : socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) die("socket");
  if (is_icmp) filter_echo_replies(fd);
  const int options[][3] = {
    {SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER}, {SOL_SOCKET, SO_SNDBUF, RECEIVE_BUFFER},
    {IPPROTO_IP, IP_TTL, 255}, {IPPROTO_IP, IP_RECVTTL, !is_icmp}, {IPPROTO_IP, IP_RECVTOS, !is_icmp},
    {IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO}, {IPPROTO_IP, IP_RECVERR, 1},
    {SOL_SOCKET, SO_TIMESTAMPING, STAMPING},
  };
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
    if (setsockopt(fd, options[i][0], options[i][1], &options[i][2], sizeof options[i][2]) != 0) die("setsockopt");
  source.sin_port = is_icmp ? 0 : htons((uint16_t)(local_port + number));
  if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) die("bind");
  link_batch(&link->out, 0);
  link_batch(&link->in, CONTROL);
  link_batch(&link->errors, CONTROL);
}

static struct sockaddr_in address(const char *text, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) die(text);
  return address;
}

int main(int argc, char **argv) {
  if (argc < 9) die("floor icmp|stamp SOURCE LOCAL SOCKETS REMOTE INTERVAL_MS TICK_MS TARGET...");
  is_icmp = strcmp(argv[1], "icmp") == 0;
  local_port = (uint16_t)atoi(argv[3]);
  link_count = (unsigned)atoi(argv[4]);
  interval_ns = atoll(argv[6]) * 1000000;
  tick_ns = atoll(argv[7]) * 1000000;
  path_count = (unsigned)argc - 8;
  paths = calloc(path_count, sizeof *paths);
  links = calloc(link_count, sizeof *links);
  if (!paths || !links || link_count == 0 || interval_ns <= 0 || tick_ns <= 0) die("arguments");
  signal(SIGTERM, end);
  for (unsigned i = 0; i < link_count; i++) open_link(&links[i], address(argv[2], 0), i);
  read_clocks();
  start_ns = now_ns;
  srand48(now.ns);
  for (unsigned i = 0; i < path_count; i++) {
    paths[i].to = address(argv[8 + i], is_icmp ? 0 : atoi(argv[5]));
    paths[i].due_ns = start_ns + (int64_t)(drand48() * (double)interval_ns); /* a random phase (RFC 3432 section 3) */
  }
  puts("probing");
  fflush(stdout);
  while (!is_ending) {
    read_clocks();
    int64_t next_ns = send_due();
    receive();
    sleep_until(next_ns);
  }
  for (int64_t until_ns = now_ns + LAST_REPLIES_NS; now_ns < until_ns && received < sent;) {
    receive();
    sleep_until(now_ns + tick_ns);
  }
  printf("%llu sent, %llu received, %llu stamped, %llu missed, %llu refused, %llu wrong\n", sent, received, stamped,
         missed, refused, wrong);
  return received == sent && stamped == sent && refused + wrong == 0 ? 0 : 1;
}
