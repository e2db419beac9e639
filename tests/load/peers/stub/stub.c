/* The base services, played by one thread with epoll, so that they cost next to nothing beside what is measured.
 *
 *   stub PORT FOLDER [CA CERTIFICATE KEY]     with the last three: TLS, and only for callers whom CA certified
 *
 * POST /af /csn /skv /so /tns /miv   FOLDER/af.xml ... as it stands, where the request holds the root element that the
 *                                    service expects and the person; an HTTP 500 with a SOAP fault otherwise
 * POST /fk/...                       FOLDER/fk.json, likewise
 * GET  /set?af=50&so=hang            af waits 50 ms before each answer, so never answers; also ok (at once), fault,
 *                                    garbage; "all" stands for every service
 * GET  /stats                        how often each was asked, connections, refused requests (both answer with this)
 *
 * On loopback only. One request at a time on a connection, as clients without pipelining send them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SERVICES = 7, CONNECTIONS = 65536, WAITING = 65536 };
enum mode { OK, FAULT, HANG, GARBAGE };

typedef struct {
    char *bytes;
    size_t size;
} text;

typedef struct {
    int fd;
    SSL *tls;
    unsigned generation;
    char *in;
    size_t have, room;
    text out; /* what is still to be sent; never ours to free */
    int blocked;
} conn;

typedef struct {
    long long due;
    int fd;
    unsigned generation;
    text answer;
} waiting;

static struct {
    const char *name, *root;
    text answer;
    enum mode mode;
    long asked;
    long long delay;                      /* microseconds */
    waiting *queue; /* in the order of `due`, for the delay is the same for all but just after it was changed */
    unsigned head, tail;
} service[SERVICES] = {
    {.name = "af", .root = "FragaMeddelande"},
    {.name = "csn", .root = "SBNUppgEkBistandBegar"},
    {.name = "skv", .root = "BeskattningsuppgifterRequest"},
    {.name = "so", .root = "GetUnemploymentBenefitPaymentRequest"},
    {.name = "tns", .root = "HamtaUppgifter"},
    {.name = "miv", .root = "findByPersonnummer"},
    {.name = "fk", .root = "\"period\""},
};
static const char *person = "1212121212"; /* without the century, which one service wants in a field of its own */
static const char *fault_body =
    "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"
    "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>out of order</faultstring></soap:Fault></soap:Body>"
    "</soap:Envelope>";
static text fault, garbage;
static conn *connections[CONNECTIONS];
static unsigned generations[CONNECTIONS];
static long accepted, refused;
static int poller;
static SSL_CTX *tls;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static text response(const char *status, const char *type, const char *body, size_t size) {
    text made = {malloc(size + 256), 0};
    made.size = sprintf(made.bytes, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status, type, size);
    memcpy(made.bytes + made.size, body, size);
    made.size += size;
    return made;
}

static text from_file(const char *folder, const char *name) {
    char path[512];
    int json = !strcmp(name, "fk");
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, json ? "json" : "xml");
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file);
    rewind(file);
    char *body = malloc(size);
    if (fread(body, 1, size, file) != size) die(path);
    fclose(file);
    text made = response("200 OK", json ? "application/json" : "text/xml; charset=utf-8", body, size);
    free(body);
    return made;
}

/* Both: bytes moved, 0 where the connection is gone, -1 where it must be tried again later. */
static ssize_t receive(conn *c, char *to, size_t room) {
    if (!c->tls) {
        ssize_t n = read(c->fd, to, room);
        return n < 0 && errno == EAGAIN ? -1 : n < 0 ? 0 : n;
    }
    ERR_clear_error(); /* or another connection's error is taken for this one's */
    int n = SSL_read(c->tls, to, room), why = SSL_get_error(c->tls, n);
    return n > 0 ? n : why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static ssize_t transmit(conn *c, const char *from, size_t size) {
    if (!c->tls) {
        ssize_t n = write(c->fd, from, size);
        return n < 0 && errno == EAGAIN ? -1 : n < 0 ? 0 : n;
    }
    ERR_clear_error();
    int n = SSL_write(c->tls, from, size), why = SSL_get_error(c->tls, n);
    return n > 0 ? n : why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static void drop(conn *c) {
    connections[c->fd] = NULL;
    generations[c->fd]++;
    if (c->tls) SSL_free(c->tls);
    close(c->fd);
    free(c->in);
    free(c);
}

static void watch(conn *c, int operation, unsigned what) {
    struct epoll_event event = {.events = what, .data.fd = c->fd};
    epoll_ctl(poller, operation, c->fd, &event);
}

/* Sends what fits now; the rest goes when epoll says so. A connection that is gone is dropped when it is read next. */
static void flush(conn *c) {
    while (c->out.size) {
        ssize_t n = transmit(c, c->out.bytes, c->out.size);
        if (n == 0) c->out.size = 0;
        if (n <= 0) break;
        c->out.bytes += n;
        c->out.size -= n;
    }
    int blocked = c->out.size > 0;
    if (blocked != c->blocked) watch(c, EPOLL_CTL_MOD, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    c->blocked = blocked;
}

static void send_now(conn *c, text answer) {
    c->out = answer;
    flush(c);
}

static void send_after(conn *c, int i, text answer) {
    if (!service[i].delay) return send_now(c, answer);
    if (service[i].tail - service[i].head == WAITING) die("too many wait");
    service[i].queue[service[i].tail++ % WAITING] =
        (waiting){now() + service[i].delay, c->fd, c->generation, answer};
}

static int find(const char *name, size_t size) {
    for (int i = 0; i < SERVICES; i++)
        if (strlen(service[i].name) == size && !memcmp(service[i].name, name, size)) return i;
    return -1;
}

static void set(int i, const char *value) {
    static const char *modes[] = {"ok", "fault", "hang", "garbage"};
    service[i].delay = 0;
    service[i].mode = OK;
    for (int m = 0; m < 4; m++)
        if (!strcmp(value, modes[m])) {
            service[i].mode = m;
            return;
        }
    service[i].delay = atol(value) * 1000LL;
}

/* `target` as in GET /set?af=50&so=hang; answers with the counts. */
static void control(conn *c, char *target) {
    static char told[2048]; /* lives until it is sent: whoever asks waits for the answer */
    char *rest = NULL, body[1024], *query = strchr(target, '?');
    for (char *pair = strtok_r(query ? query + 1 : "", "&", &rest); pair; pair = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(pair, '=');
        if (!value) continue;
        *value++ = 0;
        for (int i = 0; i < SERVICES; i++)
            if (!strcmp(pair, "all") || !strcmp(pair, service[i].name)) set(i, value);
    }
    int n = sprintf(body, "{\"connections\": %ld, \"refused\": %ld", accepted, refused);
    for (int i = 0; i < SERVICES; i++) n += sprintf(body + n, ", \"%s\": %ld", service[i].name, service[i].asked);
    n += sprintf(body + n, "}\n");
    n = sprintf(told, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, body);
    send_now(c, (text){told, n});
}

static void answer(conn *c, const char *target, const char *body, size_t size) {
    int i = find(target + 1, strcspn(target + 1, "/? "));
    if (i >= 0) service[i].asked++;
    if (i < 0 || !memmem(body, size, service[i].root, strlen(service[i].root)) ||
        !memmem(body, size, person, strlen(person))) {
        refused++;
        send_now(c, fault);
    } else if (service[i].mode != HANG) {
        send_after(c, i, service[i].mode == FAULT ? fault : service[i].mode == GARBAGE ? garbage : service[i].answer);
    }
}

/* The size of the request at the beginning of what was received, once all of it is there; 0 before. */
static size_t request(conn *c, char **body, size_t *body_size) {
    char *end = memmem(c->in, c->have, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = end + 4 - c->in, length = 0;
    int chunked = 0;
    for (char *line = c->in; line < end; line = (char *)memmem(line, end + 2 - line, "\r\n", 2) + 2) {
        if (!strncasecmp(line, "content-length:", 15)) length = atol(line + 15);
        if (!strncasecmp(line, "transfer-encoding: chunked", 26)) chunked = 1;
        if (!strncasecmp(line, "expect: 100", 11) && c->have == head)
            transmit(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    *body = c->in + head;
    if (chunked) { /* the chunks' own lines do no harm: only what stands in the body is searched for */
        char *last = memmem(end + 2, c->have - head + 2, "\r\n0\r\n\r\n", 7);
        if (!last) return 0;
        length = last + 7 - *body;
    }
    *body_size = length;
    return c->have < head + length ? 0 : head + length;
}

static void readable(conn *c) {
    for (;;) {
        if (c->have == c->room) c->in = realloc(c->in, c->room *= 2);
        ssize_t n = receive(c, c->in + c->have, c->room - c->have);
        if (n < 0) return;
        if (n == 0) return drop(c);
        c->have += n;
        char *body;
        size_t body_size, whole = request(c, &body, &body_size);
        if (!whole) continue;
        char *target = memchr(c->in, ' ', whole);
        if (!target) return drop(c);
        target++;
        if (!strncmp(c->in, "GET ", 4)) {
            target[strcspn(target, " \r")] = 0;
            control(c, target);
        } else {
            answer(c, target, body, body_size);
        }
        c->have -= whole;
        memmove(c->in, c->in + whole, c->have);
    }
}

static void take(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CONNECTIONS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        conn *c = calloc(1, sizeof *c);
        *c = (conn){.fd = fd, .generation = generations[fd], .room = 16384, .in = malloc(16384)};
        if (tls) {
            c->tls = SSL_new(tls);
            SSL_set_fd(c->tls, fd);
            SSL_set_accept_state(c->tls);
        }
        connections[fd] = c;
        accepted++;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

/* Sends what is due. Returns the microseconds until something is, -1 where nothing waits. */
static long long send_due(void) {
    long long next = -1, time = now();
    for (int i = 0; i < SERVICES; i++) {
        while (service[i].head != service[i].tail) {
            waiting *w = &service[i].queue[service[i].head % WAITING];
            if (w->due > time) {
                if (next < 0 || w->due - time < next) next = w->due - time;
                break;
            }
            service[i].head++;
            conn *c = connections[w->fd];
            if (c && c->generation == w->generation) send_now(c, w->answer);
        }
    }
    return next;
}

static void use_tls(char **files) {
    tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"stub", 4);
    if (!SSL_CTX_load_verify_locations(tls, files[0], NULL) || !SSL_CTX_use_certificate_chain_file(tls, files[1]) ||
        !SSL_CTX_use_PrivateKey_file(tls, files[2], SSL_FILETYPE_PEM))
        die("certificates");
}

int main(int count, char **arguments) {
    if (count != 3 && count != 6) return fprintf(stderr, "stub PORT FOLDER [CA CERTIFICATE KEY]\n"), 2;
    if (count == 6) use_tls(arguments + 3);
    for (int i = 0; i < SERVICES; i++) {
        service[i].answer = from_file(arguments[2], service[i].name);
        service[i].queue = malloc(WAITING * sizeof(waiting));
    }
    fault = response("500 Internal Server Error", "text/xml; charset=utf-8", fault_body, strlen(fault_body));
    garbage = response("200 OK", "text/xml; charset=utf-8", "<html>not xml", 13);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&here, sizeof here) || listen(listener, 4096)) die("listen");
    poller = epoll_create1(0);
    struct epoll_event listening = {.events = EPOLLIN, .data.fd = listener}, events[512];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        long long wait = send_due();
        struct timespec t = {.tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000};
        int n = epoll_pwait2(poller, events, 512, wait < 0 ? NULL : &t, NULL);
        for (int k = 0; k < n; k++) {
            conn *c = connections[events[k].data.fd];
            if (events[k].data.fd == listener) take(listener);
            else if (c && events[k].events & EPOLLOUT) flush(c);
            else if (c) readable(c);
        }
    }
}
