// mediasoup's tests where the package has them: inside node_modules, which jest leaves out by default.
'use strict';
module.exports = {
    rootDir: __dirname,
    roots: ['<rootDir>/node_modules/mediasoup/node/lib/test'],
    testRegex: '/node/lib/test/test-.*\\.js$',
    testPathIgnorePatterns: [],
    modulePathIgnorePatterns: [],
    haste: { retainAllFiles: true },
    transform: {},
    maxWorkers: 1,
};
