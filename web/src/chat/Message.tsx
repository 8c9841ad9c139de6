/** One chat message, and what can be done about it. */
import { memo, type CSSProperties } from 'react';
import type { ChatIdentity, ChatMessage } from '../signaling/types';
import { t } from '../strings';
import { Button } from '../ui/controls';
import { hueOf, isForMe, mayModerate, pieces } from './chatState';

const TIMEOUT_S = 600;

interface Props {
  message: ChatMessage;
  me: ChatIdentity | null;
  onReply: () => void;
  onDelete: () => void;
  /** Without seconds: for good. */
  onBan: (seconds?: number) => void;
  onModerator: () => void;
}

export const Message = memo(
  function Message({ message: m, me, onReply, onDelete, onBan, onModerator }: Props) {
    const name = m.displayName || t.chat.anonymous;
    const own = m.authorId === me?.authorId;
    const below = mayModerate(m, me);
    const role = t.chat.roles[m.role];
    return (
      <article
        className={`chat-message ${isForMe(m, me) ? 'chat-for-me' : ''}`}
        data-testid="chat-message"
      >
        {m.replyTo && (
          <p className="chat-quote truncate">
            {m.replyTo.displayName || t.chat.anonymous}: {m.replyTo.message}
          </p>
        )}
        <p className="chat-text">
          {role && (
            <span className={`chat-role chat-role-${m.role}`} data-testid="chat-role">
              {role}
            </span>
          )}
          <span className="chat-name" style={{ '--hue': hueOf(m.authorId) } as CSSProperties}>
            {name}
          </span>
          {own && <span className="sr-only"> ({t.chat.you})</span>}
          {': '}
          {pieces(m.message).map((piece, i) =>
            piece.mention ? (
              <strong key={i} className="chat-mention">
                {piece.text}
              </strong>
            ) : (
              piece.text
            ),
          )}
        </p>
        <div className="chat-actions">
          {!own && <Button small look="ghost" icon="reply" label={t.chat.reply(name)} onClick={onReply} />}
          {(own || below) && (
            <Button small look="ghost" icon="trash" label={t.chat.delete} onClick={onDelete} />
          )}
          {below && (
            <>
              <Button
                small
                look="ghost"
                icon="clock"
                label={t.chat.timeout(name)}
                onClick={() => onBan(TIMEOUT_S)}
              />
              <Button small look="ghost" icon="ban" label={t.chat.ban(name)} onClick={() => onBan()} />
            </>
          )}
          {below && m.role === 'viewer' && me?.role !== 'moderator' && (
            <Button
              small
              look="ghost"
              icon="shield"
              label={t.chat.makeModerator(name)}
              onClick={onModerator}
            />
          )}
        </div>
      </article>
    );
  },
  /* A message never changes; what can be done about it depends on who looks. */
  (a, b) => a.message === b.message && a.me === b.me,
);
