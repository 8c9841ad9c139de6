/**
 * The vocabulary of `/ws`: every request with its answer, and every event. The names are the ones on the
 * wire; nothing in the app invents a second name for them.
 */
import type {
  DtlsParameters,
  IceCandidate,
  IceParameters,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
  SctpParameters,
  SctpStreamParameters,
} from 'mediasoup-client/types';

export type Role = 'broadcaster' | 'viewer' | 'participant';

export interface PeerInfo {
  peerId: string;
  displayName?: string;
  role?: Role;
}

export interface ProducerInfo {
  producerId: string;
  peerId: string;
  kind: MediaKind;
  paused: boolean;
  appData?: Record<string, unknown>;
}

export interface JoinRoomIn {
  roomId: string;
  peerId?: string;
  displayName?: string;
  role?: Role;
  title?: string;
  /** Of an earlier joinRoom: takes the place of the peer that was. */
  resumeToken?: string;
  token?: string;
}

export interface JoinRoomOut {
  roomId: string;
  peerId: string;
  resumeToken?: string;
  rtpCapabilities: RtpCapabilities;
  peers: PeerInfo[];
  producers: ProducerInfo[];
  iceServers?: RTCIceServer[];
  hlsUrl?: string;
}

export interface TransportOut {
  id: string;
  iceParameters: IceParameters;
  iceCandidates: IceCandidate[];
  dtlsParameters: DtlsParameters;
  sctpParameters?: SctpParameters;
}

export interface ConsumeOut {
  id: string;
  producerId: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  type: 'simple' | 'simulcast' | 'svc' | 'pipe';
  producerPaused: boolean;
}

export type ChatRole = 'viewer' | 'moderator' | 'broadcaster' | 'admin';

export interface ChatMessage {
  messageId: string;
  authorId: string;
  displayName: string;
  role: ChatRole;
  guest: boolean;
  /** Plain text. */
  message: string;
  /** ms since the epoch. */
  createdAt: number;
  /** authorId of people in it by @name. */
  mentions?: string[];
  replyTo?: { messageId: string; authorId: string; displayName: string; message: string };
}

/** Whoever this is to the chat, and whether they may write. */
export interface ChatIdentity {
  authorId: string;
  displayName: string;
  role: ChatRole;
  banned: boolean;
  /** ms since the epoch; a ban without it has no end. */
  until?: number;
  reason?: string;
}

export interface ChatBan {
  authorId: string;
  displayName: string;
  until?: number;
  reason?: string;
}

export interface ChatSettings {
  /** Seconds between two messages of a viewer; 0: none. */
  slowMode: number;
  links: boolean;
  words: string[];
}

type CreateTransport = { in: { forceTcp?: boolean; sctpCapabilities?: unknown }; out: TransportOut };
type ConnectTransport = {
  in: { transportId: string; dtlsParameters: DtlsParameters };
  out: { connected: boolean };
};
type OnProducer = { in: { producerId: string }; out: object };
type OnConsumer = { in: { consumerId: string }; out: object };
type Nothing = Record<string, never>;

/** Requests: `in` is what is sent as data, `out` what the promise resolves to. */
export interface Requests {
  createRoom: { in: { roomId?: string }; out: { roomId: string } };
  joinRoom: { in: JoinRoomIn; out: JoinRoomOut };
  leaveRoom: { in: Nothing; out: object };
  createProducerTransport: CreateTransport;
  createConsumerTransport: CreateTransport;
  connectProducerTransport: ConnectTransport;
  connectConsumerTransport: ConnectTransport;
  restartIce: { in: { transportId: string }; out: { iceParameters: IceParameters } };
  produce: {
    in: {
      transportId: string;
      kind: MediaKind;
      rtpParameters: RtpParameters;
      paused?: boolean;
      appData?: Record<string, unknown>;
    };
    out: { id: string };
  };
  consume: {
    in: {
      producerId: string;
      rtpCapabilities: RtpCapabilities;
      transportId?: string;
      paused?: boolean;
    };
    out: ConsumeOut;
  };
  pauseProducer: OnProducer;
  resumeProducer: OnProducer;
  closeProducer: OnProducer;
  pauseConsumer: OnConsumer;
  resumeConsumer: OnConsumer;
  closeConsumer: OnConsumer;
  requestConsumerKeyFrame: OnConsumer;
  setConsumerPreferredLayers: {
    in: { consumerId: string; spatialLayer: number; temporalLayer?: number };
    out: object;
  };
  setConsumerPriority: { in: { consumerId: string; priority: number }; out: object };
  produceData: {
    in: {
      transportId: string;
      sctpStreamParameters: SctpStreamParameters;
      label?: string;
      protocol?: string;
      appData?: Record<string, unknown>;
    };
    out: { id: string };
  };
  consumeData: {
    in: { dataProducerId: string };
    out: {
      id: string;
      dataProducerId: string;
      sctpStreamParameters: SctpStreamParameters;
      label?: string;
      protocol?: string;
    };
  };
  getTransportStats: { in: { transportId: string }; out: object[] };
  getProducerStats: { in: { producerId: string }; out: object[] };
  getConsumerStats: { in: { consumerId: string }; out: object[] };
  sendChat: { in: { message: string; replyTo?: string }; out: { messageId: string } };
  getChatHistory: { in: { limit?: number; before?: string }; out: { messages: ChatMessage[] } };
  deleteChatMessage: { in: { messageId: string }; out: object };
  banFromChat: { in: { authorId: string; seconds?: number; reason?: string }; out: object };
  unbanFromChat: { in: { authorId: string }; out: object };
  getChatBans: { in: object; out: { bans: ChatBan[] } };
  setChatModerator: { in: { authorId: string; moderator: boolean }; out: object };
  getChatSettings: { in: object; out: ChatSettings };
  setChatSettings: { in: Partial<ChatSettings>; out: ChatSettings };
  changeDisplayName: { in: { displayName: string }; out: object };
}

export type Method = keyof Requests;

/** Events that the server sends without being asked. */
export interface Events {
  roomProducersChanged: {
    added: ProducerInfo[];
    removed: { producerId: string; peerId: string }[];
  };
  peerJoined: PeerInfo;
  peerLeft: { peerId: string };
  producerScore: { producerId: string; score: unknown };
  consumerScore: { consumerId: string; score: unknown };
  consumerLayersChanged: {
    consumerId: string;
    layers?: { spatialLayer: number; temporalLayer?: number } | null;
  };
  consumerClosed: { consumerId: string; producerId?: string };
  activeSpeaker: { peerId: string | null; producerId?: string; volume?: number };
  downlinkBwe: { transportId?: string; availableBitrate?: number; desiredBitrate?: number };
  chatMessage: ChatMessage;
  chatMessageDeleted: { messageIds: string[] };
  chatHistory: { messages: ChatMessage[]; slowMode: number; links: boolean; messageMax: number };
  chatIdentity: ChatIdentity;
  chatRules: { slowMode: number; links: boolean };
  viewerCount: { count: number; peak?: number };
  hlsReady: { hlsUrl?: string };
  streamEnded: { roomId?: string; streamId?: string; reason?: string };
  /** All transports of this peer are gone; the peer itself is still in the room. */
  reconnectRequired: { reason?: string };
  /** A message that could not be answered because it had no id. */
  error: { errorCode?: number; errorReason?: string };
}

export type EventName = keyof Events;
export type AnyEvent = { [E in EventName]: { method: E; data: Events[E] } }[EventName];
