/** Where one writes: a name first, if there is none yet; then a line, emoji, and whom it answers. */
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { ChatMessage } from '../signaling/types';
import { t } from '../strings';
import { Button } from '../ui/controls';

const EMOJI = [...'😀😂😊😍🤩🤔😮😢😡👍👎👏🙌🙏💪🔥🎉❤💯✨👀🚀🎵☕'];
const NAME_MAX = 32;

interface Props {
  name: string;
  /** The chat is there. */
  ready: boolean;
  /** Characters. */
  max: number;
  replyTo: ChatMessage | null;
  onCancelReply: () => void;
  onName?: (name: string) => void;
  onSend: (text: string) => Promise<boolean>;
}

export function Composer({ name, ready, max, replyTo, onCancelReply, onName, onSend }: Props) {
  const [text, setText] = useState('');
  const [naming, setNaming] = useState(false);
  const [emoji, setEmoji] = useState(false);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (replyTo) input.current?.focus();
  }, [replyTo]);

  if (onName && ready && (!name || naming))
    return (
      <NameForm
        name={name}
        onName={(next) => {
          setNaming(false);
          onName(next);
        }}
      />
    );

  const submit = async (e: FormEvent) => {
    e.preventDefault();
    const trimmed = text.trim();
    if (!trimmed || busy) return;
    setBusy(true);
    if (await onSend(trimmed)) setText('');
    setBusy(false);
    input.current?.focus();
  };
  const put = (character: string) => {
    setText((now) => (now + character).slice(0, max));
    setEmoji(false);
    input.current?.focus();
  };

  return (
    <form className="chat-composer" onSubmit={(e) => void submit(e)}>
      {replyTo && (
        <p className="chat-replying" data-testid="chat-replying">
          <span className="truncate">
            {t.chat.replyingTo(replyTo.displayName || t.chat.anonymous)}: {replyTo.message}
          </span>
          <Button small look="ghost" icon="close" label={t.chat.cancelReply} onClick={onCancelReply} />
        </p>
      )}
      {emoji && (
        <div className="chat-emoji" role="group" aria-label={t.chat.emoji}>
          {EMOJI.map((character) => (
            <button key={character} type="button" onClick={() => put(character)}>
              {character}
            </button>
          ))}
        </div>
      )}
      <div className="chat-line">
        <input
          ref={input}
          className="input"
          aria-label={t.chat.message}
          placeholder={t.chat.placeholder}
          value={text}
          maxLength={max}
          disabled={!ready}
          autoComplete="off"
          enterKeyHint="send"
          data-testid="chat-input"
          onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => {
            if (e.key !== 'Escape') return;
            setEmoji(false);
            onCancelReply();
          }}
        />
        <Button
          look="ghost"
          icon="smile"
          label={t.chat.emoji}
          aria-expanded={emoji}
          disabled={!ready}
          onClick={() => setEmoji(!emoji)}
        />
        <Button
          look="primary"
          icon="send"
          label={t.chat.send}
          type="submit"
          disabled={!ready || !text.trim()}
          data-testid="chat-send"
        />
      </div>
      {onName && name && (
        <button type="button" className="chat-as" title={t.chat.changeName} onClick={() => setNaming(true)}>
          {name}
          <span className="sr-only">, {t.chat.changeName}</span>
        </button>
      )}
    </form>
  );
}

function NameForm({ name, onName }: { name: string; onName: (name: string) => void }) {
  const [text, setText] = useState(name);
  return (
    <form
      className="chat-line"
      onSubmit={(e) => {
        e.preventDefault();
        if (text.trim()) onName(text.trim());
      }}
    >
      <input
        className="input"
        aria-label={t.chat.name}
        placeholder={t.chat.namePlaceholder}
        value={text}
        maxLength={NAME_MAX}
        autoComplete="nickname"
        data-testid="chat-name"
        onChange={(e) => setText(e.target.value)}
      />
      <Button look="primary" type="submit" disabled={!text.trim()} data-testid="chat-name-save">
        {t.chat.nameSave}
      </Button>
    </form>
  );
}
