/* Questions over HTTPS with a client certificate, from one thread with epoll: the next is sent when one is answered.
 *
 *   load -u https://localhost:PORT/path -A ca.pem -C client.pem -K client.key -b question.xml
 *        -c CONCURRENCY [-n COUNT | -w SECONDS] [-S AF,CSN,...] [-f] [-r SECONDS]
 *
 * Connections are opened before the clock starts and kept; with -f (fresh) each question has a connection and a full
 * handshake of its own, without resumption, and both belong to its time. With -r (ramp) the first question of each
 * connection is sent within so many seconds instead of at once. The @@@@@@@@@@ in the question becomes its
 * number; where the file holds several questions, a NUL byte after each, every one is asked once and has its number. An answer counts as good where it is HTTP 200, carries that number back, and holds every section and no felkod.
 * Prints one line of JSON, times in milliseconds; exit code 1 where any was not good. The first bad one is written to
 * standard error where LOAD_SHOW is set. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 60, SHOWN = 3000 };

typedef struct {
    int fd;
    SSL *tls;
    char *in, *out;
    size_t have, room, size, sent;
    double started;
    long number;
    int busy, complete;
} conn;

typedef struct {
    size_t start, size;
    int status, closes;
} answer;

static SSL_CTX *tls;
static struct sockaddr_in server = {.sin_family = AF_INET};
static int poller, fresh, section_count, port = 443;
static char *sections[16];
static struct {
    char *bytes; /* HTTP and all */
    size_t size;
} *questions;
static long question_count;
static long wanted = 1000, issued, answered, errors, bad_status, wrong_number, missing_sections, section_errors, lost;
static long long answer_bytes;
static double seconds, end, ramp, *times;
static size_t times_room;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

static void show(conn *c) {
    if (errors++ == 0 && getenv("LOAD_SHOW")) fwrite(c->in, 1, c->have < SHOWN ? c->have : SHOWN, stderr);
}

/* A connection whose handshake has yet to be made. */
static void reach(conn *c) {
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (void *)&server, sizeof server)) die(strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->tls = SSL_new(tls);
    SSL_set_fd(c->tls, c->fd);
    SSL_set_tlsext_host_name(c->tls, "localhost");
    SSL_set_connect_state(c->tls);
    c->have = 0;
}

static void unblock(conn *c) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void ready(conn *c) {
    reach(c);
    if (SSL_do_handshake(c->tls) != 1) die("the handshake failed");
    unblock(c);
}

static void leave(conn *c) {
    SSL_free(c->tls);
    close(c->fd);
}

/* As much of the question as can be sent now; it fits into the socket's buffer, so what stops it is the handshake. */
static void push(conn *c) {
    while (c->sent < c->size) {
        int n = SSL_write(c->tls, c->out + c->sent, c->size - c->sent);
        if (n <= 0) return;
        c->sent += n;
    }
}

static void ask(conn *c) {
    c->busy = seconds > 0 ? now() < end : issued < wanted;
    if (!c->busy) return;
    long i = issued++ % question_count;
    c->number = issued;
    c->sent = c->have = 0;
    c->size = questions[i].size;
    c->out = realloc(c->out, c->size);
    memcpy(c->out, questions[i].bytes, c->size);
    char digits[16], *place = memmem(c->out, c->size, "@@@@@@@@@@", 10);
    snprintf(digits, sizeof digits, "%010ld", c->number);
    if (place) memcpy(place, digits, 10);
    c->started = now();
    if (fresh) {
        reach(c);
        unblock(c);
    }
    push(c);
}

/* Whether all of the answer is there; chunks are joined in place. */
static int whole(conn *c, answer *a) {
    char *head_end = memmem(c->in, c->have, "\r\n\r\n", 4), *end_of_all = c->in + c->have;
    if (!head_end) return 0;
    long length = -1;
    int chunked = 0;
    a->start = head_end + 4 - c->in;
    a->status = atoi(c->in + 9);
    a->closes = 0;
    for (char *line = c->in; line < head_end; line = (char *)memmem(line, head_end + 2 - line, "\r\n", 2) + 2) {
        if (!strncasecmp(line, "content-length:", 15)) length = atol(line + 15);
        if (!strncasecmp(line, "transfer-encoding: chunked", 26)) chunked = 1;
        if (!strncasecmp(line, "connection: close", 17)) a->closes = 1;
    }
    if (!chunked) {
        a->size = length;
        return length >= 0 && c->have >= a->start + length;
    }
    for (int joining = 0; joining < 2; joining++) {
        char *chunk = c->in + a->start, *to = chunk;
        for (;;) {
            char *line_end = memmem(chunk, end_of_all - chunk, "\r\n", 2);
            if (!line_end) return 0;
            long size = strtol(chunk, NULL, 16);
            chunk = line_end + 2;
            if (chunk + size + 2 > end_of_all) return 0;
            if (!size) break;
            if (joining) memmove(to, chunk, size);
            to += size;
            chunk += size + 2;
        }
        a->size = to - (c->in + a->start);
    }
    return 1;
}

static void judge(conn *c, const answer *a) {
    char number[32], *body = c->in + a->start;
    long before = bad_status + wrong_number + missing_sections + section_errors;
    snprintf(number, sizeof number, "corr-%010ld<", c->number);
    if (a->status != 200) {
        bad_status++;
    } else {
        int missing = 0;
        for (int i = 0; i < section_count; i++) missing |= !memmem(body, a->size, sections[i], strlen(sections[i]));
        missing_sections += missing;
        wrong_number += !memmem(body, a->size, number, strlen(number));
        section_errors += memmem(body, a->size, "felkod>", 7) != NULL;
    }
    if (bad_status + wrong_number + missing_sections + section_errors > before) show(c);
}

static void finish(conn *c, const answer *a) {
    double time = now() - c->started;
    judge(c, a);
    if ((size_t)answered == times_room) times = realloc(times, (times_room = times_room * 2 + 65536) * sizeof *times);
    times[answered++] = time;
    answer_bytes += a->size;
    c->busy = 0;
    if (fresh) {
        leave(c);
    } else if (a->closes) {
        leave(c);
        ready(c);
    }
    ask(c);
}

/* The server closed: a question that it had not begun to answer is asked again, as clients do that keep connections. */
static void closed(conn *c) {
    leave(c);
    if (!c->busy) {
        c->fd = -1;
        return;
    }
    if (++lost > wanted + 1000) die("the server closes its connections");
    if (c->have || fresh) {
        show(c);
        if (!fresh) ready(c);
        ask(c);
    } else {
        ready(c);
        c->sent = 0;
        push(c);
    }
}

static void readable(conn *c) {
    answer a;
    for (;;) {
        if (c->have + 16384 > c->room) c->in = realloc(c->in, c->room *= 2);
        ERR_clear_error(); /* or another connection's error is taken for this one's */
        int n = SSL_read(c->tls, c->in + c->have, c->room - c->have);
        if (n <= 0) {
            int why = SSL_get_error(c->tls, n);
            if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return closed(c);
            if (c->busy) push(c);
            return;
        }
        c->have += n;
        if (c->busy && whole(c, &a)) {
            finish(c, &a);
            if (!c->busy) return;
        }
    }
}

static void use(const char *ca, const char *certificate, const char *key) {
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    if (!SSL_CTX_load_verify_locations(tls, ca, NULL) || !SSL_CTX_use_certificate_chain_file(tls, certificate) ||
        !SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM))
        die("certificates");
}

static void add_question(const char *path, const char *body, size_t size) {
    char *whole = malloc(size + 1024);
    int head = sprintf(whole,
                       "POST %s HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: text/xml; charset=utf-8\r\n"
                       "SOAPAction: \"\"\r\nAccept: text/xml\r\nConnection: %s\r\nContent-Length: %zu\r\n\r\n",
                       path, port, fresh ? "close" : "keep-alive", size);
    memcpy(whole + head, body, size);
    questions = realloc(questions, ++question_count * sizeof *questions);
    questions[question_count - 1].bytes = whole;
    questions[question_count - 1].size = head + size;
}

static void read_questions(const char *path, const char *file_name) {
    FILE *file = fopen(file_name, "r");
    if (!file) die(file_name);
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file);
    rewind(file);
    char *all = malloc(size);
    if (fread(all, 1, size, file) != size) die(file_name);
    fclose(file);
    for (char *one = all, *limit = all + size; one < limit;) {
        char *after = memchr(one, 0, limit - one);
        if (!after) after = limit;
        add_question(path, one, after - one);
        one = after + 1;
    }
    free(all);
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int by_size(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return difference < 0 ? -1 : difference > 0;
}

static double percentile(double part) {
    return answered ? times[(long)(part * (answered - 1) + 0.5)] * 1e3 : 0;
}

int main(int count, char **arguments) {
    const char *ca = NULL, *certificate = NULL, *key = NULL, *file = NULL, *url = NULL;
    char host[128], path[256] = "/", *names = strdup("AF,CSN,SKV,SO,TNS,MIV"), *rest = NULL;
    int concurrency = 1, option;
    while ((option = getopt(count, arguments, "u:A:C:K:b:c:n:w:S:r:f")) > 0) switch (option) {
        case 'u': url = optarg; break;
        case 'A': ca = optarg; break;
        case 'C': certificate = optarg; break;
        case 'K': key = optarg; break;
        case 'b': file = optarg; break;
        case 'c': concurrency = atoi(optarg); break;
        case 'n': wanted = atol(optarg); break;
        case 'w': seconds = atof(optarg); break;
        case 'S': names = strdup(optarg); break;
        case 'r': ramp = atof(optarg); break;
        case 'f': fresh = 1; break;
        default: return 2;
        }
    if (!url || !file || !ca || !certificate || !key) die("-u, -A, -C, -K and -b are needed");
    if (sscanf(url, "https://%127[^:/]:%d%255s", host, &port, path) < 2) die("-u is no https://HOST:PORT/PATH");
    for (char *name = strtok_r(names, ",", &rest); name && section_count < 16; name = strtok_r(NULL, ",", &rest))
        if (asprintf(&sections[section_count++], "%s>", name) < 0) die("memory");
    read_questions(path, file);
    use(ca, certificate, key);
    server.sin_port = htons(port);
    inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &server.sin_addr);
    poller = epoll_create1(0);
    conn *all = calloc(concurrency, sizeof *all);
    double opening = now();
    for (int i = 0; i < concurrency; i++) {
        all[i] = (conn){.room = 262144, .in = malloc(262144)};
        if (!fresh) ready(&all[i]);
    }
    double cpu_before = cpu(), begun = now();
    opening = (begun - opening) / concurrency;
    end = begun + seconds;
    struct epoll_event events[256];
    long silent = 0;
    for (int begun_with = 0;;) {
        while (begun_with < concurrency && now() >= begun + ramp * begun_with / concurrency) ask(&all[begun_with++]);
        int busy = 0;
        for (int i = 0; i < concurrency; i++) busy += all[i].busy;
        if (!busy && begun_with == concurrency) break;
        int n = epoll_wait(poller, events, 256, begun_with < concurrency ? 1 : PATIENCE_SECONDS * 1000);
        if (n == 0 && begun_with == concurrency) {
            silent = busy;
            errors += busy;
            break;
        }
        for (int k = 0; k < n; k++) readable(events[k].data.ptr);
    }
    double took = now() - begun, sum = 0, used = cpu() - cpu_before;
    qsort(times, answered, sizeof *times, by_size);
    for (long i = 0; i < answered; i++) sum += times[i];
    printf("{\"concurrency\": %d, \"answered\": %ld, \"seconds\": %.3f, \"rate\": %.1f, \"mean\": %.3f, \"p50\": %.3f, "
           "\"p95\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"errors\": %ld, \"bad_status\": %ld, \"wrong_number\": %ld, "
           "\"missing_sections\": %ld, \"section_errors\": %ld, \"silent\": %ld, \"lost\": %ld, \"answer_bytes\": %lld, "
           "\"handshake\": %.3f, \"load_cpu\": %.3f}\n",
           concurrency, answered, took, answered / took, answered ? sum / answered * 1e3 : 0, percentile(.5),
           percentile(.95), percentile(.99), percentile(1), errors, bad_status, wrong_number, missing_sections,
           section_errors, silent, lost, answered ? answer_bytes / answered : 0, opening * 1e3, used);
    return errors > 0;
}
