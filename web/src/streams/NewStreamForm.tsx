import { useState } from 'react';
import { useSubmit } from '../account/useSubmit';
import { createStream } from '../api/streams';
import { t } from '../strings';
import { Banner, Button, TextField } from '../ui/controls';
import { TextArea } from '../ui/TextArea';

export function NewStreamForm({ onMade, onCancel }: { onMade: () => void; onCancel: () => void }) {
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [begins, setBegins] = useState('');
  const [record, setRecord] = useState(false);
  const form = useSubmit(['title', 'description', 'scheduledAt'], async () => {
    await createStream({
      title,
      recordingEnabled: record,
      ...(description ? { description } : {}),
      ...(begins ? { scheduledAt: new Date(begins).getTime() } : {}),
    });
    onMade();
  });
  return (
    <form className="card stack" onSubmit={form.onSubmit} data-testid="new-stream-form">
      <h2>{t.streams.create}</h2>
      {form.problem() && <Banner tone="bad">{form.problem()}</Banner>}
      <TextField
        label={t.streams.name}
        placeholder={t.studio.streamTitlePlaceholder}
        error={form.problem('title')}
        value={title}
        onChange={(e) => setTitle(e.target.value)}
        maxLength={140}
        autoFocus
        required
      />
      <TextArea
        label={t.streams.description}
        error={form.problem('description')}
        value={description}
        onChange={(e) => setDescription(e.target.value)}
        rows={3}
      />
      <TextField
        label={t.streams.begins}
        hint={t.streams.beginsHint}
        error={form.problem('scheduledAt')}
        type="datetime-local"
        value={begins}
        onChange={(e) => setBegins(e.target.value)}
      />
      <label className="check">
        <input type="checkbox" checked={record} onChange={(e) => setRecord(e.target.checked)} />
        {t.streams.record}
      </label>
      <div className="row">
        <Button look="primary" type="submit" disabled={form.busy}>
          {t.streams.create}
        </Button>
        <Button look="ghost" onClick={onCancel}>
          {t.app.cancel}
        </Button>
      </div>
    </form>
  );
}
