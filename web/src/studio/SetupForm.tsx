/** What is chosen before going live; devices and quality can change while live too. */
import { isRoomId, newRoomId, toRoomId } from '../app/ids';
import type { Quality } from '../media/capture';
import type { VideoCodec } from '../media/sendSide';
import type { Capture } from '../media/useCapture';
import { t } from '../strings';
import { Button, Meter, SelectField, TextField } from '../ui/controls';
import { useLevel } from '../media/useLevel';

export interface Setup {
  title: string;
  roomId: string;
  codec: VideoCodec;
  /** Several sizes of the picture are sent. */
  layers: boolean;
}

interface Props {
  setup: Setup;
  onChange: (change: Partial<Setup>) => void;
  capture: Capture;
  live: boolean;
  muted: boolean;
}

const QUALITY_OPTIONS = Object.entries(t.studio.qualities).map(([value, label]) => ({
  value: value as Quality,
  label,
}));
const CODEC_OPTIONS = Object.entries(t.studio.codecs).map(([value, label]) => ({
  value: value as VideoCodec,
  label,
}));
const SIZE_OPTIONS = Object.entries(t.studio.sizeChoices).map(([value, label]) => ({
  value: value as keyof typeof t.studio.sizeChoices,
  label,
}));

export function SetupForm({ setup, onChange, capture, live, muted }: Props) {
  const level = useLevel(muted ? null : capture.mic);
  const { devices } = capture;
  const choices = (list: { deviceId: string; label: string }[], chosen: string) => {
    const options = list.map((d) => ({ value: d.deviceId, label: d.label }));
    return options.some((o) => o.value === chosen)
      ? options
      : [{ value: chosen, label: t.studio.defaultDevice }, ...options];
  };
  return (
    <div className="card stack">
      <h2>{t.studio.settings}</h2>
      <TextField
        label={t.studio.streamTitle}
        placeholder={t.studio.streamTitlePlaceholder}
        value={setup.title}
        maxLength={120}
        disabled={live}
        onChange={(e) => onChange({ title: e.target.value })}
        data-testid="title-input"
      />
      <TextField
        label={t.studio.roomId}
        hint={t.studio.roomIdHint}
        error={isRoomId(setup.roomId) || !setup.roomId ? null : t.studio.badRoomId}
        value={setup.roomId}
        maxLength={64}
        disabled={live}
        autoCapitalize="none"
        spellCheck={false}
        onChange={(e) => onChange({ roomId: toRoomId(e.target.value) })}
        data-testid="room-input"
        action={
          !live && (
            <Button
              icon="refresh"
              label={t.studio.newId}
              onClick={() => onChange({ roomId: newRoomId() })}
            />
          )
        }
      />
      <SelectField
        label={t.studio.camera}
        value={capture.cameraId}
        options={choices(devices.cameras, capture.cameraId)}
        onChange={(id) => void capture.chooseCamera(id)}
        testId="camera-select"
      />
      <div className="stack-tight">
        <SelectField
          label={t.studio.mic}
          value={capture.micId}
          options={choices(devices.mics, capture.micId)}
          onChange={(id) => void capture.chooseMic(id)}
          testId="mic-select"
        />
        <Meter level={level} label={t.studio.level} />
      </div>
      <div className="studio-pair">
        <SelectField
          label={t.studio.quality}
          value={capture.quality}
          options={QUALITY_OPTIONS}
          onChange={(q) => void capture.chooseQuality(q)}
        />
        <SelectField
          label={t.studio.codec}
          value={setup.codec}
          options={CODEC_OPTIONS}
          onChange={(codec) => onChange({ codec })}
          disabled={live}
          testId="codec-select"
        />
      </div>
      <SelectField
        label={t.studio.sizes}
        hint={t.studio.sizesHint}
        value={setup.layers ? 'several' : 'one'}
        options={SIZE_OPTIONS}
        onChange={(sizes) => onChange({ layers: sizes === 'several' })}
        disabled={live}
        testId="sizes-select"
      />
    </div>
  );
}
