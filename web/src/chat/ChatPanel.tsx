/** The chat beside a stream: messages, a line to write, and what moderators need. */
import { useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { duration } from '../app/format';
import { RequestError } from '../signaling/errors';
import type { ChatMessage } from '../signaling/types';
import { t } from '../strings';
import { Button } from '../ui/controls';
import { Icon } from '../ui/Icon';
import { useNow } from '../ui/useNow';
import './chat.css';
import type { Chat } from './chat';
import { ChatSettingsForm } from './ChatSettingsForm';
import { initialChat, isGuest, isModerator, type ChatState } from './chatState';
import { Composer } from './Composer';
import { Message } from './Message';

const nothing = () => () => {};

function useChat(chat: Chat | null): ChatState {
  return useSyncExternalStore(chat?.subscribe ?? nothing, chat?.getSnapshot ?? (() => initialChat));
}

/** What went wrong, for people. */
export function explainChat(error: unknown): string {
  return error instanceof RequestError ? error.reason.replace(/^\w+: /, '') : t.chat.failed;
}

interface Props {
  chat: Chat | null;
  /** Without it the name is not for this panel to change. */
  onName?: (name: string) => void;
}

export function ChatPanel({ chat, onName }: Props) {
  const state = useChat(chat);
  const [replyTo, setReplyTo] = useState<ChatMessage | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [rules, setRules] = useState(false);
  const { me, messages } = state;
  const moderator = isModerator(me);

  const act = (doing: Promise<unknown>) => {
    setProblem(null);
    doing.catch((e) => setProblem(explainChat(e)));
  };
  const send = async (text: string): Promise<boolean> => {
    if (!chat) return false;
    try {
      setProblem(null);
      await chat.request('sendChat', {
        message: text,
        ...(replyTo ? { replyTo: replyTo.messageId } : {}),
      });
      setReplyTo(null);
      return true;
    } catch (e) {
      setProblem(explainChat(e));
      return false;
    }
  };

  return (
    <section className="chat" aria-label={t.chat.title} data-testid="chat">
      <header className="chat-head">
        <h2>
          <Icon name="chat" />
          {t.chat.title}
        </h2>
        {moderator && (
          <Button
            small
            look="ghost"
            icon="sliders"
            label={t.chat.settings}
            aria-expanded={rules}
            data-testid="chat-settings"
            onClick={() => setRules(!rules)}
          />
        )}
      </header>
      {moderator && rules && chat ? (
        <ChatSettingsForm chat={chat} onClose={() => setRules(false)} />
      ) : (
        <Log messages={messages} connecting={me === null}>
          {(m) => (
            <Message
              key={m.messageId}
              message={m}
              me={me}
              onReply={() => setReplyTo(m)}
              onDelete={() => chat && act(chat.request('deleteChatMessage', { messageId: m.messageId }))}
              onBan={(seconds) =>
                chat &&
                act(chat.request('banFromChat', { authorId: m.authorId, ...(seconds ? { seconds } : {}) }))
              }
              onModerator={() =>
                chat && act(chat.request('setChatModerator', { authorId: m.authorId, moderator: true }))
              }
            />
          )}
        </Log>
      )}
      <div className="chat-foot">
        {problem && (
          <p className="chat-problem" role="alert" data-testid="chat-problem">
            {problem}
          </p>
        )}
        {me?.banned ? (
          <Banned until={me.until} reason={me.reason} />
        ) : (
          <Composer
            name={me?.displayName ?? ''}
            ready={me !== null}
            max={state.messageMax}
            replyTo={replyTo}
            onCancelReply={() => setReplyTo(null)}
            onName={isGuest(me) ? onName : undefined}
            onSend={send}
          />
        )}
        {!moderator && (state.slowMode > 0 || !state.links) && (
          <p className="chat-note" data-testid="chat-note">
            {[
              state.slowMode > 0 && t.chat.slow(duration(state.slowMode * 1000)),
              !state.links && t.chat.noLinks,
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        )}
      </div>
    </section>
  );
}

interface LogProps {
  messages: readonly ChatMessage[];
  connecting: boolean;
  children: (m: ChatMessage) => React.ReactNode;
}

/** Follows the newest message, unless somebody reads further up. */
function Log({ messages, connecting, children }: LogProps) {
  const box = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (following) toEnd();
  }, [messages, following]);
  return (
    <div className="chat-log-box">
      <div
        ref={box}
        className="chat-log"
        /* Scrolled by keyboard as well. */
        tabIndex={0}
        role="log"
        aria-label={t.chat.log}
        data-testid="chat-log"
        onScroll={(e) => {
          const { scrollTop, scrollHeight, clientHeight } = e.currentTarget;
          setFollowing(scrollHeight - scrollTop - clientHeight < 40);
        }}
      >
        {messages.length === 0 && (
          <p className="chat-empty">{connecting ? t.chat.connecting : t.chat.empty}</p>
        )}
        {messages.map(children)}
      </div>
      {!following && (
        <Button small className="chat-newer" onClick={() => setFollowing(true)}>
          {t.chat.newer}
        </Button>
      )}
    </div>
  );
}

function Banned({ until, reason }: { until?: number; reason?: string }) {
  const now = useNow(1000);
  const left = until === undefined ? null : Math.max(0, until - now);
  return (
    <p className="chat-banned" role="status" data-testid="chat-banned">
      {left === null ? t.chat.bannedForGood : t.chat.bannedUntil(duration(left))}
      {reason ? ` (${reason})` : ''}
    </p>
  );
}
