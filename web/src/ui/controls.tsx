/** Buttons, fields, banners and the like, over controls.css. */
import {
  useEffect,
  useId,
  useState,
  type AnchorHTMLAttributes,
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
} from 'react';
import { followLink } from '../app/router';
import { t } from '../strings';
import { Icon, type IconName } from './Icon';

export type Look = 'plain' | 'primary' | 'live' | 'outline' | 'ghost' | 'off' | 'toggle';

interface LookProps {
  look?: Look;
  small?: boolean;
  icon?: IconName;
  /** Without children the label is what screen readers say, and the tooltip. */
  label?: string;
}

function classes({ look = 'plain', small, icon, label }: LookProps, iconOnly: boolean): string {
  const names = ['btn'];
  if (look !== 'plain') names.push(`btn-${look}`);
  if (small) names.push('btn-small');
  if (icon && iconOnly && label) names.push('btn-icon');
  return names.join(' ');
}

type ButtonProps = LookProps & ButtonHTMLAttributes<HTMLButtonElement>;

export function Button({ look, small, icon, label, children, className, ...rest }: ButtonProps) {
  const iconOnly = children === undefined;
  return (
    <button
      type="button"
      className={`${classes({ look, small, icon, label }, iconOnly)} ${className ?? ''}`}
      aria-label={label}
      title={iconOnly ? label : undefined}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type LinkProps = LookProps & AnchorHTMLAttributes<HTMLAnchorElement>;

export function ButtonLink({ look, small, icon, label, children, className, ...rest }: LinkProps) {
  return (
    <a
      className={`${classes({ look, small, icon, label }, children === undefined)} ${className ?? ''}`}
      aria-label={label}
      onClick={followLink}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  error?: string | null;
  /** Stands to the right of the input. */
  action?: ReactNode;
}

export function TextField({ label, hint, error, action, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="with-button">
        <input
          id={id}
          className="input"
          autoComplete="off"
          aria-invalid={error ? true : undefined}
          aria-describedby={error || hint ? `${id}-note` : undefined}
          {...input}
        />
        {action}
      </div>
      {error ? (
        <span id={`${id}-note`} className="field-error" role="alert">
          {error}
        </span>
      ) : (
        hint && (
          <span id={`${id}-note`} className="field-hint">
            {hint}
          </span>
        )
      )}
    </div>
  );
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
  disabled?: boolean;
  hint?: string;
  testId?: string;
}

export function SelectField<T extends string>(props: SelectProps<T>) {
  const { label, value, options, onChange, disabled, hint, testId } = props;
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="select"
        value={value}
        disabled={disabled}
        data-testid={testId}
        aria-describedby={hint ? `${id}-note` : undefined}
        onChange={(e) => onChange(e.target.value as T)}
      >
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label}
          </option>
        ))}
      </select>
      {hint && (
        <span id={`${id}-note`} className="field-hint">
          {hint}
        </span>
      )}
    </div>
  );
}

interface BannerProps {
  tone?: 'info' | 'warn' | 'bad';
  children: ReactNode;
  action?: ReactNode;
  testId?: string;
}

export function Banner({ tone = 'info', children, action, testId }: BannerProps) {
  return (
    <div
      className={`banner ${tone === 'info' ? '' : `banner-${tone}`}`}
      role={tone === 'bad' ? 'alert' : 'status'}
      data-testid={testId}
    >
      <Icon name={tone === 'info' ? 'info' : 'warn'} />
      <div className="banner-text">{children}</div>
      {action}
    </div>
  );
}

export function Spinner({ label }: { label: string }) {
  return (
    <span role="status">
      <span className="spinner" style={{ display: 'block' }} aria-hidden="true" />
      <span className="sr-only">{label}</span>
    </span>
  );
}

/** A bar from 0 to 1. */
export function Meter({ level, label }: { level: number; label: string }) {
  return (
    <div
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(level * 100)}
      style={{ '--level': level } as React.CSSProperties}
    >
      <span />
    </div>
  );
}

/** Copies text and says so for a moment. */
export function useCopy(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1800);
    return () => clearTimeout(timer);
  }, [copied]);
  return [copied, (text) => void copyText(text).then(setCopied)];
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    /* Pages that are not secure have no clipboard interface; a selection still can be copied. */
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

interface CopyFieldProps {
  label: string;
  value: string;
  hint?: string;
  /** A secret: copied, but not to be read. */
  hidden?: boolean;
}

export function CopyField({ label, value, hint, hidden }: CopyFieldProps) {
  const [copied, copy] = useCopy();
  return (
    <TextField
      label={label}
      value={value}
      hint={hint}
      type={hidden ? 'password' : 'text'}
      readOnly
      onFocus={(e) => e.target.select()}
      action={
        <Button
          icon={copied ? 'check' : 'copy'}
          label={copied ? t.share.copied : t.share.copyLabel(label)}
          onClick={() => copy(value)}
        />
      }
    />
  );
}
