/** A line over time, as high as its highest value. */
export function Graph({ label, values, capacity }: { label: string; values: number[]; capacity: number }) {
  const top = Math.max(1, ...values);
  const x = (i: number) => ((capacity - values.length + i) / (capacity - 1)) * 300;
  const y = (v: number) => 58 - (v / top) * 54;
  const points = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
  const now = values.at(-1) ?? 0;
  return (
    <figure className="graph">
      <figcaption className="row spread">
        <span className="soft small">{label}</span>
        <strong className="nums">{now}</strong>
      </figcaption>
      <svg viewBox="0 0 300 60" preserveAspectRatio="none" role="img" aria-label={`${label}: ${now}`}>
        {values.length > 1 && (
          <>
            <polygon points={`${x(0).toFixed(1)},60 ${points} 300,60`} />
            <polyline points={points} />
          </>
        )}
      </svg>
    </figure>
  );
}
