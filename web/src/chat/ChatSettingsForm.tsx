/** A room's chat rules, for its moderators: slow mode, links, words, who is banned. */
import { useEffect, useState } from 'react';
import { duration } from '../app/format';
import type { ChatBan, ChatSettings } from '../signaling/types';
import { t } from '../strings';
import { Button, SelectField } from '../ui/controls';
import type { Chat } from './chat';
import { explainChat } from './ChatPanel';

const SLOW_S = [0, 5, 10, 30, 60, 300];

export function ChatSettingsForm({ chat, onClose }: { chat: Chat; onClose: () => void }) {
  const [settings, setSettings] = useState<ChatSettings | null>(null);
  const [words, setWords] = useState('');
  const [bans, setBans] = useState<ChatBan[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const fail = (e: unknown) => setProblem(explainChat(e));

  useEffect(() => {
    chat.request('getChatSettings', {}).then((s) => {
      setSettings(s);
      setWords(s.words.join('\n'));
    }, fail);
    chat.request('getChatBans', {}).then((r) => setBans(r.bans), fail);
  }, [chat]);

  const save = () => {
    if (!settings) return;
    const list = words.split('\n').map((w) => w.trim()).filter(Boolean);
    chat.request('setChatSettings', { ...settings, words: list }).then(onClose, fail);
  };
  const unban = (authorId: string) => {
    chat.request('unbanFromChat', { authorId }).then(
      () => setBans((now) => now.filter((b) => b.authorId !== authorId)),
      fail,
    );
  };

  const slow = [...new Set([...SLOW_S, settings?.slowMode ?? 0])].sort((a, b) => a - b);
  return (
    <div className="chat-rules stack" data-testid="chat-rules">
      <SelectField
        label={t.chat.slowMode}
        value={String(settings?.slowMode ?? 0)}
        options={slow.map((s) => ({
          value: String(s),
          label: s === 0 ? t.chat.slowOff : duration(s * 1000),
        }))}
        disabled={!settings}
        testId="chat-slow"
        onChange={(v) => settings && setSettings({ ...settings, slowMode: Number(v) })}
      />
      <label className="row">
        <input
          type="checkbox"
          checked={settings?.links ?? true}
          disabled={!settings}
          onChange={(e) => settings && setSettings({ ...settings, links: e.target.checked })}
        />
        {t.chat.links}
      </label>
      <label className="field">
        <span>{t.chat.words}</span>
        <textarea
          className="input chat-words"
          rows={3}
          value={words}
          disabled={!settings}
          onChange={(e) => setWords(e.target.value)}
        />
      </label>
      {problem && (
        <p className="chat-problem" role="alert">
          {problem}
        </p>
      )}
      <Button look="primary" disabled={!settings} data-testid="chat-save" onClick={save}>
        {t.chat.save}
      </Button>
      <h3>{t.chat.banned}</h3>
      {bans.length === 0 && <p className="soft small">{t.chat.nobodyBanned}</p>}
      <ul className="chat-bans">
        {bans.map((b) => (
          <li key={b.authorId} className="row">
            <span className="truncate">{b.displayName || t.chat.anonymous}</span>
            {b.until !== undefined && (
              <span className="soft small nums">{duration(Math.max(0, b.until - Date.now()))}</span>
            )}
            <Button
              small
              look="ghost"
              icon="check"
              label={t.chat.unban(b.displayName || t.chat.anonymous)}
              onClick={() => unban(b.authorId)}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}
