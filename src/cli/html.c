/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/html.h"

#include <openssl/evp.h>

#include "cli/show.h"

/* In the file that tools/embed makes. */
extern const unsigned char html_chart[], html_audit_js[], html_audit_css[];
extern const size_t html_chart_len, html_audit_js_len, html_audit_css_len;

/* 'sha256-...' as a policy for content names a script. */
static int add_digest(struct buffer *out, const void *script, size_t len) {
    unsigned char digest[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
    unsigned digest_len = 0;
    if (EVP_Digest(script, len, digest, &digest_len, EVP_sha256(), NULL) != 1) return ERROR_SYSTEM;
    int text_len = EVP_EncodeBlock(text, digest, (int)digest_len);
    return buffer_printf(out, "'sha256-%.*s'", text_len, (const char *)text);
}

int html_begin(struct buffer *out, struct bytes title) {
    buffer_printf(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
                       "img-src data:; script-src ");
    int error = add_digest(out, html_chart, html_chart_len);
    buffer_printf(out, " ");
    if (error == 0) error = add_digest(out, html_audit_js, html_audit_js_len);
    buffer_printf(out,
                  "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    show_html(out, title);
    buffer_printf(out, "</title>\n<style>\n");
    buffer_add(out, html_audit_css, html_audit_css_len);
    return error ? error : buffer_printf(out, "</style>\n</head>\n<body>\n<main>\n");
}

int html_end(struct buffer *out, struct bytes data) {
    buffer_printf(out, "</main>\n<script type=\"application/json\" id=\"data\">");
    /* Within JSON these stand in strings only; escaped, nothing in it ends the element. */
    for (size_t i = 0; i < data.len; i++) {
        char c = data.data[i];
        if (c == '<' || c == '>' || c == '&') {
            buffer_printf(out, "\\u%04x", (unsigned)c);
        } else {
            buffer_add(out, &c, 1);
        }
    }
    buffer_printf(out, "</script>\n<script>");
    buffer_add(out, html_chart, html_chart_len);
    buffer_printf(out, "</script>\n<script>");
    buffer_add(out, html_audit_js, html_audit_js_len);
    return buffer_printf(out, "</script>\n</body>\n</html>\n");
}
