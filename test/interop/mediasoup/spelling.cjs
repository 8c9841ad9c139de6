// How Weir spells the values of mediasoup's enumerations: in lower case, where this table says nothing else.
'use strict';

const SPELLINGS = {
    'FBS.RtpParameters.RtpHeaderExtensionUri': {
        Mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
        RtpStreamId: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
        RepairRtpStreamId: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
        AbsSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
        TransportWideCcDraft01: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
        SsrcAudioLevel: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
        DependencyDescriptor: 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
        VideoOrientation: 'urn:3gpp:video-orientation',
        TimeOffset: 'urn:ietf:params:rtp-hdrext:toffset',
        AbsCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
        PlayoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
        MediasoupPacketId: 'urn:mediasoup:params:rtp-hdrext:packet-id',
    },
    'FBS.SrtpParameters.SrtpCryptoSuite': {
        AEAD_AES_256_GCM: 'AEAD_AES_256_GCM',
        AEAD_AES_128_GCM: 'AEAD_AES_128_GCM',
        AES_CM_128_HMAC_SHA1_80: 'AES_CM_128_HMAC_SHA1_80',
        AES_CM_128_HMAC_SHA1_32: 'AES_CM_128_HMAC_SHA1_32',
    },
    'FBS.WebRtcTransport.FingerprintAlgorithm': {
        SHA1: 'sha-1', SHA224: 'sha-224', SHA256: 'sha-256', SHA384: 'sha-384', SHA512: 'sha-512',
    },
    'FBS.Transport.BweType': { TRANSPORT_CC: 'transport-cc', REMB: 'remb' },
    'FBS.Common.TraceDirection': { DIRECTION_IN: 'in', DIRECTION_OUT: 'out' },
};

function spell(type, number) {
    const name = type.values.get(number);
    return name === undefined ? undefined : SPELLINGS[type.full]?.[name] ?? name.toLowerCase();
}

function unspell(type, text) {
    for (const number of type.values.keys()) {
        if (spell(type, number) === text) return number;
    }
    return undefined;
}

module.exports = { spell, unspell };
