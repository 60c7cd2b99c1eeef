/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/yaml.h"

static bool complain(const char *name, const char *what) {
    fprintf(stderr, "keynome: %s: %s\n", name, what);
    return false;
}

bool file_read(const char *name, struct buffer *ret_text) {
    int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return complain(name, strerror(errno));
    buffer_init(ret_text, CATALOG_DOCUMENT_MAX + 65536);
    for (;;) {
        char *to = buffer_reserve(ret_text, 32768);
        ssize_t got = to ? read(fd, to, 32768) : -1;
        if (got < 0 && to && errno == EINTR) continue;
        if (got < 0 || !to) {
            complain(name, to ? strerror(errno) : "too large for a catalog");
            buffer_done(ret_text);
            if (fd != STDIN_FILENO) close(fd);
            return false;
        }
        if (got == 0) break;
        buffer_commit(ret_text, (size_t)got);
    }
    if (fd != STDIN_FILENO) close(fd);
    return true;
}

static bool write_all(int fd, struct bytes text) {
    while (text.len) {
        ssize_t done = write(fd, text.data, text.len);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        text = bytes_make(text.data + done, text.len - (size_t)done);
    }
    return true;
}

bool file_write(const char *name, struct bytes text) {
    if (!name || strcmp(name, "-") == 0)
        return write_all(STDOUT_FILENO, text) || complain("standard output", strerror(errno));
    char fresh[4096];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new-%ld", name, (long)getpid()) >= sizeof fresh)
        return complain(name, "the name is too long");
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return complain(fresh, strerror(errno));
    bool ok = write_all(fd, text) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(fresh, name) == 0;
    if (ok) return true;
    complain(name, strerror(errno));
    unlink(fresh);
    return false;
}

bool load_catalog(const char *file, struct diagnostics *diagnostics, struct loaded *ret_loaded) {
    *ret_loaded = (struct loaded){.file = file};
    if (!file_read(file, &ret_loaded->text)) return false;
    struct bytes text = buffer_bytes(&ret_loaded->text);
    if (catalog_is_markdown(text, file)) {
        ret_loaded->catalog = catalog_read_markdown(text, file, diagnostics, &ret_loaded->facts);
    } else {
        ret_loaded->catalog = catalog_read_yaml(text, file, diagnostics);
    }
    return true;
}

void loaded_done(struct loaded *loaded) {
    catalog_free(loaded->catalog);
    markdown_free(loaded->facts);
    buffer_done(&loaded->text);
}
