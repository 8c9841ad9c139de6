// Adds up the totals that test/run.mjs left: `node test/total.mjs FILE`.
import { readFileSync } from 'node:fs';

const rows = readFileSync(process.argv[2], 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const sum = (key) => rows.reduce((n, row) => n + row[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
