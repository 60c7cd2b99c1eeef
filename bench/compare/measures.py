# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: each measure's requests and what must be in the keyspace before it.

Templates are those of bench/load (see load/template.h): numbers have 12 digits, so that
"key:{num}" is a key of 16 bytes.
"""

import hashlib

KEYS = 1_000_000
SCRIPT = "return redis.call('get', KEYS[1])"
SHA = hashlib.sha1(SCRIPT.encode()).hexdigest()


class Measure:
    def __init__(self, name, template, fill=None, fill_requests=0, prepare=(), **options):
        self.name = name
        self.template = template
        self.fill = fill                    # template run first, once for each server
        self.fill_requests = fill_requests
        self.prepare = prepare              # single commands, once for each server, after the fill
        self.options = options              # for the load generator


def ten(words):
    return " ".join([words] * 10)


PLAIN = ("SET key:{seq} {value}", KEYS)
SPEED = [
    Measure("get", "GET key:{num}", *PLAIN, verify=True),
    Measure("set", "SET key:{num} {value}", *PLAIN),
    Measure("setex", "SETEX exp:{num} 3600 {value}", "SETEX exp:{seq} 3600 {value}", KEYS),
    Measure("incr", "INCR cnt:{num:100000}", "SET cnt:{seq} 1", 100_000),
    Measure("list", "LPUSH lst:{num:10000} {value} ; RPOP lst:{num:10000}",
            "LPUSH lst:{num:10000} {value}", 50_000),
    Measure("hset", "HSET hsh:{num:20000} field-{num:10} {value}",
            "HSET hsh:{num:20000} field-{num:10} {value}", 400_000),
    Measure("hget", "HGET hsh:{num:20000} field-{num:10}",
            "HSET hsh:{num:20000} field-{num:10} {value}", 400_000),
    Measure("sadd", "SADD set:{num:1000} mbr:{num:200}", "SADD set:{num:1000} mbr:{num:200}", 400_000),
    Measure("zadd", "ZADD zst:{num:1000} {rand:1000000} mbr:{num:200}",
            "ZADD zst:{num:1000} {rand:1000000} mbr:{num:200}", 400_000),
    Measure("mget10", "MGET " + ten("key:{num}"), *PLAIN),
    Measure("mset10", "MSET " + ten("key:{num} {value}"), *PLAIN),
    Measure("mix", "18 GET mix:{num:500000} ; 1 SET mix:{num:500000} {value:8-512} ; "
            "1 SETEX mix:{num:500000} 3600 {value:8-512}",
            "SET mix:{seq} {value:8-512}", 500_000, z=0.99, verify=True),
    Measure("xadd", "XADD str:{num:100} MAXLEN ~ 10000 * field-one {value:20} field-two {value:20}"),
    Measure("xreadgroup", "XADD grp MAXLEN ~ 100000 * field {value} ; "
            "XREADGROUP GROUP readers one COUNT 1 NOACK STREAMS grp >",
            prepare=[("XGROUP", "CREATE", "grp", "readers", "$", "MKSTREAM")]),
    Measure("evalsha", f"EVALSHA {SHA} 1 key:{{num}}", *PLAIN, prepare=[("SCRIPT", "LOAD", SCRIPT)]),
]
EXTRA = [
    Measure("ping", "PING"),
    Measure("getmiss", "GET nop:{num}"),
    Measure("get1k", "GET big:{num:200000}", "SET big:{seq} {value:1024}", 200_000),
    Measure("set1k", "SET big:{num:200000} {value:1024}", "SET big:{seq} {value:1024}", 200_000),
    Measure("setdel", "SET tmp:{num} {value} ; DEL tmp:{num}", "SET tmp:{num} {value}", 500_000),
    Measure("expire", "EXPIRE key:{num} 3600", *PLAIN),
    Measure("lrange100", "LRANGE rng 0 99", "RPUSH rng {value}", 200),
    Measure("zrange", "ZRANGE zst:{num:1000} 0 9", "ZADD zst:{num:1000} {rand:1000000} mbr:{num:200}", 400_000),
]


def choose(names):
    every = {m.name: m for m in SPEED + EXTRA}
    unknown = [n for n in names if n not in every]
    if unknown:
        raise SystemExit(f"bench: unknown measure {', '.join(unknown)}; there are {', '.join(every)}")
    return [every[n] for n in names] if names else SPEED
