'use strict';
/* One keynome-server for one test file: started on a port of its own, stopped with the file. */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { after, before } = require('node:test');

const root = path.resolve(__dirname, '../..');
const binary = process.env.KEYNOME_SERVER || path.join(root, 'build/release/src/keynome-server');
const threads = process.env.KEYNOME_THREADS || '1';
/* A redis-server, with which the tests themselves are checked, has no number of threads. */
const foreign = path.basename(binary) === 'redis-server';

/* What a server prints when something is wrong with itself. */
const FAULT = /Sanitizer|runtime error: |BUG REPORT START|Assertion .* failed/;

/* Set to 7.0 when these tests run against redis-server 7.0.15 itself: what came later is skipped. */
const oracle = process.env.KEYNOME_ORACLE || (foreign ? '7.0' : '');
const newer = { skip: oracle === '7.0' ? 'newer than the oracle' : false };

function freePort() {
    return new Promise((resolve, reject) => {
        const probe = net.createServer();
        probe.once('error', reject);
        probe.listen(0, '127.0.0.1', () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

function answers(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('error', () => resolve(false));
        socket.once('connect', () => socket.write('PING\r\n'));
        socket.once('data', () => {
            socket.destroy();
            resolve(true);
        });
    });
}

class Server {
    constructor(args) {
        this.args = args;
        this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keynome-node-'));
        this.socket = path.join(this.dir, 's');
        this.output = '';
    }

    async start(port) {
        this.port = port || (await freePort());
        const args = ['--port', String(this.port), '--bind', '127.0.0.1',
            '--unixsocket', this.socket, '--dir', this.dir, '--save', '', '--appendonly', 'no',
            ...(foreign ? [] : ['--threads', threads]), ...this.args];
        this.child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
        const note = (chunk) => { this.output += chunk; };
        this.child.stdout.on('data', note);
        this.child.stderr.on('data', note);
        this.gone = new Promise((resolve) => {
            this.child.once('close', resolve); /* not 'exit': its last words are still to be read */
            this.child.once('error', (error) => { note(error.message); resolve(-1); });
        });
        let ended = false;
        this.gone.then(() => { ended = true; });
        for (let i = 0; i < 1000 && !ended; i++) {
            if (await answers(this.port)) return this;
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        throw new Error(`${binary} did not start:\n${this.output}`);
    }

    /* A server that crashed, or that a sanitizer complains of, fails the file that used it. */
    async stop() {
        this.child.kill('SIGTERM');
        const status = await this.gone;
        if (status !== 0 || FAULT.test(this.output)) {
            throw new Error(`the server ended with ${status}:\n${this.output.slice(-8000)}`);
        }
    }

    /* The same address again, as after a restart by the service manager. */
    async restart() {
        await this.stop();
        return this.start(this.port);
    }

    async remove() {
        await this.stop();
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

/* Registers start and stop with the test runner; the object is filled in before the first test. */
function serverForFile(...args) {
    const server = new Server(args);
    before(() => server.start());
    after(() => server.remove());
    return server;
}

module.exports = { newer, oracle, serverForFile, threads };
