// Looks into the service's SQLite file from outside, by the sqlite3 program.
import { execFileSync } from 'node:child_process';

export const sqlite = {
    /** The first column of the first row, as text; '' when there is none. */
    row(file, sql) {
        return execFileSync('sqlite3', ['-readonly', file, sql], { encoding: 'utf8' }).split('\n')[0];
    },
};
