// Which core a process has, its place before others' work, and what CPU it takes; and that nothing stays behind.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';

const NICE = -10; // before what else runs on the machine, where that is allowed

/** The cores that this process may use. */
function allowed() {
    const list = /Cpus_allowed_list:\s+(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
    return list.split(',').flatMap((range) => {
        const [from, to = from] = range.split('-').map(Number);
        return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
}

/** One core for who serves and one for all others; null where there is only one. */
export function twoCores() {
    const all = allowed();
    return all.length < 2 ? null : { server: all[0], others: all[1] };
}

function quietly(program, args) {
    try {
        execFileSync(program, args, { stdio: 'ignore' });
    } catch { /* not allowed, or the thread went meanwhile */ }
}

/** A single thread to a core (pid: the first thread of the process). */
export function pinThread(tid, core) {
    quietly('taskset', ['-cp', String(core), String(tid)]);
    quietly('renice', ['-n', String(NICE), '-p', String(tid)]);
}

/** All threads of a process but its first, or with it. */
export function pinThreads(pid, core, withFirst) {
    for (const tid of readdirSync(`/proc/${pid}/task`)) if (withFirst || Number(tid) !== pid) pinThread(tid, core);
}

/** Words in front of a command, so that it starts on a core. */
export function onCore(core) {
    return ['nice', '-n', String(NICE), 'taskset', '-c', String(core)];
}

/** CPU that the process's first thread has used, µs. */
export function cpu(pid) {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1000;
}

/** Whatever ends this program, children that were told here end with it, and folders go. */
const left = { children: new Set(), folders: new Set() };
export function endsWithUs(child) {
    left.children.add(child);
    child.on('exit', () => left.children.delete(child));
}
export function goesWithUs(folder) {
    left.folders.add(folder);
}
process.on('exit', () => {
    for (const child of left.children) child.kill('SIGKILL');
    for (const folder of left.folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
