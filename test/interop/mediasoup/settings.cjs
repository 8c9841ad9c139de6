// mediasoup's worker arguments, checked as its worker checks them, and what weir-worker is started with instead.
'use strict';
const fs = require('node:fs');

// Exit code by which mediasoup's library knows that the settings were wrong.
const EXIT_WRONG_SETTINGS = 42;

class WrongSettings extends Error {}

const LEVELS = { debug: 'debug', warn: 'warn', error: 'error', none: 'none' };

function port(name, text) {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > 65535) throw new WrongSettings(`${name} must be a port, from 0 to 65535`);
    return value;
}

function readable(name, file) {
    try {
        fs.accessSync(file, fs.constants.R_OK);
    } catch {
        throw new WrongSettings(`${name}: cannot read ${file}`);
    }
    return file;
}

const ARGUMENTS = {
    logLevel: (value) => {
        if (!LEVELS[value]) throw new WrongSettings('logLevel must be debug, warn, error or none');
        return LEVELS[value];
    },
    logTag: (value) => value,
    rtcMinPort: (value) => port('rtcMinPort', value),
    rtcMaxPort: (value) => port('rtcMaxPort', value),
    dtlsCertificateFile: (value) => readable('dtlsCertificateFile', value),
    dtlsPrivateKeyFile: (value) => readable('dtlsPrivateKeyFile', value),
    libwebrtcFieldTrials: (value) => value, // of the estimator of mediasoup's worker; Weir's has none
    disableLiburing: (value) => value, // Weir's worker has none
};

function parse(argv) {
    // The defaults of mediasoup's worker.
    const settings = { logLevel: 'error', rtcMinPort: 10000, rtcMaxPort: 59999 };
    for (const argument of argv) {
        const [, name, value] = /^--(\w+)=?(.*)$/s.exec(argument) ?? [];
        if (!ARGUMENTS[name]) throw new WrongSettings(`unknown argument ${argument}`);
        settings[name] = ARGUMENTS[name](value);
    }
    if (settings.rtcMinPort > settings.rtcMaxPort) throw new WrongSettings('rtcMinPort is above rtcMaxPort');
    if (!settings.dtlsCertificateFile !== !settings.dtlsPrivateKeyFile) {
        throw new WrongSettings('dtlsCertificateFile and dtlsPrivateKeyFile go together');
    }
    return settings;
}

function weirArguments(settings) {
    const out = ['--name', 'mediasoup-worker', '--log-level', settings.logLevel,
        '--rtc-ports', `${settings.rtcMinPort}-${settings.rtcMaxPort}`];
    if (settings.dtlsCertificateFile) {
        out.push('--dtls-cert', settings.dtlsCertificateFile, '--dtls-key', settings.dtlsPrivateKeyFile);
    }
    return out;
}

module.exports = { parse, weirArguments, WrongSettings, EXIT_WRONG_SETTINGS };
