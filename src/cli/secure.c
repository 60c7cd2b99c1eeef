/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/secure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

struct secure {
    SSL_CTX *context;
    SSL *stream;
    short events;
};

/* The first reason in OpenSSL's queue, which is emptied. */
static bool complain(char *error, const char *what) {
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    snprintf(error, SECURE_ERROR_MAX, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return false;
}

static bool load_files(SSL_CTX *context, const struct secure_options *options, char *error) {
    if (options->ca_file) {
        if (SSL_CTX_load_verify_file(context, options->ca_file) != 1)
            return complain(error, "the file of --cacert cannot be read as certificates");
    } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
        return complain(error, "the system's certificates cannot be read");
    }
    if (options->cert_file && SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1)
        return complain(error, "the file of --cert cannot be read as a certificate");
    const char *key_file = options->key_file ? options->key_file : options->cert_file;
    if (key_file && (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1 ||
                     SSL_CTX_check_private_key(context) != 1))
        return complain(error, "the file of --key does not hold the key of --cert");
    return true;
}

static bool name_host(SSL *stream, const char *host, char *error) {
    unsigned char raw[sizeof(struct in6_addr)];
    bool is_ip = inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
    bool ok = is_ip
                  ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream), host) == 1
                  : SSL_set1_host(stream, host) == 1 && SSL_set_tlsext_host_name(stream, host) == 1;
    return ok || complain(error, "no certificate can be for this host");
}

struct secure *secure_new(int fd, const char *host, const struct secure_options *options,
                          char *error) {
    struct secure *secure = mem_zalloc(sizeof *secure);
    secure->context = SSL_CTX_new(TLS_client_method());
    bool ok = secure->context != NULL;
    if (ok) {
        SSL_CTX_set_min_proto_version(secure->context, TLS1_2_VERSION);
        SSL_CTX_set_mode(secure->context,
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_verify(secure->context, options->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                           NULL);
        ok = load_files(secure->context, options, error);
        secure->stream = ok ? SSL_new(secure->context) : NULL;
        ok = secure->stream && name_host(secure->stream, host, error) &&
             SSL_set_fd(secure->stream, fd) == 1;
    } else {
        complain(error, "OpenSSL does not start");
    }
    if (ok) return secure;
    secure_free(secure);
    return NULL;
}

void secure_free(struct secure *secure) {
    if (!secure) return;
    SSL_free(secure->stream);
    SSL_CTX_free(secure->context);
    mem_free(secure);
}

/* What a failed call was: something to wait for, the end, or an error. */
static long judge(struct secure *secure, int result, char *error) {
    int kind = SSL_get_error(secure->stream, result), number = errno;
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        secure->events = kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        return SECURE_WAIT;
    }
    if (kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && number == 0)) return 0;
    long verdict = SSL_get_verify_result(secure->stream);
    unsigned long code = ERR_peek_error();
    if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return 0;
    }
    if (verdict != X509_V_OK && !SSL_is_init_finished(secure->stream)) {
        snprintf(error, SECURE_ERROR_MAX,
                 "its certificate is not trusted: %s (--cacert FILE names whom to trust, "
                 "--insecure trusts anybody)",
                 X509_verify_cert_error_string(verdict));
    } else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
        snprintf(error, SECURE_ERROR_MAX,
                 "it does not speak TLS on this port: use redis:// or its TLS port");
    } else if (kind == SSL_ERROR_SYSCALL) {
        snprintf(error, SECURE_ERROR_MAX, "%s", strerror(number));
    } else {
        complain(error, "TLS failed");
    }
    ERR_clear_error();
    return SECURE_FAILED;
}

int secure_shake(struct secure *secure, char *error) {
    errno = 0;
    ERR_clear_error();
    int result = SSL_connect(secure->stream);
    if (result == 1) return 0;
    long what = judge(secure, result, error);
    if (what != 0) return (int)what;
    snprintf(error, SECURE_ERROR_MAX,
             "it closed the connection during the TLS handshake: does it speak TLS on this port?");
    return SECURE_FAILED;
}

long secure_read(struct secure *secure, void *to, size_t room, char *error) {
    errno = 0;
    ERR_clear_error();
    int result = SSL_read(secure->stream, to, room > 1 << 30 ? 1 << 30 : (int)room);
    return result > 0 ? result : judge(secure, result, error);
}

long secure_write(struct secure *secure, const void *data, size_t len, char *error) {
    errno = 0;
    ERR_clear_error();
    int result = SSL_write(secure->stream, data, len > 1 << 30 ? 1 << 30 : (int)len);
    return result > 0 ? result : judge(secure, result, error);
}

short secure_events(const struct secure *secure) {
    return secure->events;
}
