// A plain TCP relay: epoll, splice(2) through one pipe a direction that is busy. For the benchmark only, to say what a
// native relay would add. Usage: relay ADDRESS PORT BACKEND-ADDRESS BACKEND-PORT [PROCESSES]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, BACKLOG = 4096, SMALL = 16384, PIPE = 1 << 20 };

// One direction of a connection.
struct flow {
  int from, to;
  int pipe[2];
  size_t held;      // bytes in the pipe
  char small[SMALL]; // what a small read left over
  size_t start, end;
  int is_big, is_last, has_ended, is_shut; // is_last: the sender has said that it is done
};

struct relay {
  int client, server;
  int is_connected, is_dead;
  struct flow up, down;
  struct relay *next_dead;
};

// What epoll tells: which relay, and which of its ends.
struct end {
  struct relay *relay;
  int is_client;
};

struct pair {
  struct relay relay;
  struct end ends[2];
};

static int poller;
static struct relay *dead;

static void bury(struct relay *r, int reset) {
  if (r->is_dead) return;
  if (reset) {
    struct linger at_once = {1, 0};
    setsockopt(r->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    setsockopt(r->server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  close(r->client);
  close(r->server);
  for (int i = 0; i < 2; i++) {
    struct flow *f = i ? &r->up : &r->down;
    if (f->pipe[0] >= 0) close(f->pipe[0]), close(f->pipe[1]);
  }
  r->is_dead = 1;
  r->next_dead = dead;
  dead = r;
}

static int would_wait(void) { return errno == EAGAIN || errno == EWOULDBLOCK; }

// 1: wait for an event, 0: this direction is over, -1: broken.
static int write_small(struct flow *f) {
  while (f->start < f->end) {
    ssize_t n = send(f->to, f->small + f->start, f->end - f->start, MSG_NOSIGNAL);
    if (n < 0) return would_wait() ? 1 : -1;
    f->start += n;
  }
  f->start = f->end = 0;
  return 0;
}

static int empty_pipe(struct flow *f) {
  while (f->held > 0) {
    ssize_t n = splice(f->pipe[0], NULL, f->to, NULL, f->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n < 0) return would_wait() ? 1 : -1;
    f->held -= n;
  }
  return 0;
}

static int open_pipe(struct flow *f) {
  if (f->pipe[0] >= 0) return 0;
  if (pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC) < 0) return -1;
  fcntl(f->pipe[1], F_SETPIPE_SZ, PIPE);
  return 0;
}

// Small messages are copied, a direction that fills the buffer is spliced from then on.
static int pump(struct flow *f) {
  for (;;) {
    int left = f->is_big ? empty_pipe(f) : write_small(f);
    if (left != 0) return left;
    if (f->has_ended) {
      if (!f->is_shut) shutdown(f->to, SHUT_WR);
      f->is_shut = 1;
      return 0;
    }
    ssize_t n;
    if (f->is_big) {
      n = splice(f->from, NULL, f->pipe[1], NULL, PIPE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (n > 0) f->held += n;
    } else {
      n = recv(f->from, f->small, SMALL, 0);
      if (n > 0) f->end = n;
    }
    if (n < 0) return would_wait() ? 1 : -1;
    if (n == 0) f->has_ended = 1;
    else if (!f->is_big && n == SMALL) {
      int rest = write_small(f);
      if (rest < 0) return -1;
      if (rest == 0 && open_pipe(f) == 0) f->is_big = 1;
      if (rest == 1) return 1;
    } else if (!f->is_big && n < SMALL && !f->is_last) {
      // One read a wake-up: the socket is empty now, most likely.
      return write_small(f) < 0 ? -1 : 1;
    }
  }
}

static void work(struct relay *r) {
  int up = pump(&r->up), down = up < 0 ? -1 : pump(&r->down);
  if (up < 0 || down < 0) bury(r, 1);
  else if (r->up.is_shut && r->down.is_shut) bury(r, 0);
}

static void watch(int fd, struct end *end) {
  struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = end}};
  epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void no_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void begin(int client, const struct sockaddr_in *backend) {
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct pair *p = server < 0 ? NULL : calloc(1, sizeof *p);
  if (!p) {
    close(client);
    if (server >= 0) close(server);
    return;
  }
  struct relay *r = &p->relay;
  r->client = client, r->server = server;
  r->up = (struct flow){.from = client, .to = server, .pipe = {-1, -1}};
  r->down = (struct flow){.from = server, .to = client, .pipe = {-1, -1}};
  no_delay(client), no_delay(server);
  p->ends[0] = (struct end){r, 1}, p->ends[1] = (struct end){r, 0};
  if (connect(server, (const struct sockaddr *)backend, sizeof *backend) < 0 &&
      errno != EINPROGRESS) {
    bury(r, 1);
    return;
  }
  watch(server, &p->ends[1]);
  watch(client, &p->ends[0]);
}

static void serve(const struct sockaddr_in *at, const struct sockaddr_in *backend) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(listener, (const struct sockaddr *)at, sizeof *at) < 0 || listen(listener, BACKLOG) < 0) {
    perror("native relay");
    exit(1);
  }
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {EPOLLIN, {.ptr = NULL}}, events[EVENTS];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      struct end *end = events[i].data.ptr;
      if (!end) {
        for (int client; (client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
          begin(client, backend);
        continue;
      }
      struct relay *r = end->relay;
      if (r->is_dead) continue;
      if (events[i].events & EPOLLRDHUP) (end->is_client ? &r->up : &r->down)->is_last = 1;
      if (events[i].events & EPOLLERR) bury(r, 1);
      else if (!end->is_client && events[i].events & EPOLLOUT) r->is_connected = 1, work(r);
      else if (r->is_connected) work(r);
    }
    while (dead) {
      struct relay *gone = dead;
      dead = gone->next_dead;
      free(gone);
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  struct sockaddr_in backend = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[4]))};
  if (inet_pton(AF_INET, argv[1], &at.sin_addr) != 1 ||
      inet_pton(AF_INET, argv[3], &backend.sin_addr) != 1)
    return 2;
  signal(SIGPIPE, SIG_IGN);
  for (int i = 1; i < (argc > 5 ? atoi(argv[5]) : 1); i++)
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      break;
    }
  serve(&at, &backend);
}
