import { compareArrayValues, compareDataFrameStructures, type DataFrame } from '@grafana/data';
import { useState } from 'react';

/** A number that changes when the frames have other fields, not when they only have other values. */
export function useStructureRev(frames: DataFrame[]): number {
  const [known, setKnown] = useState({ frames, rev: 1 });
  if (known.frames === frames) {
    return known.rev;
  }
  const same = compareArrayValues(frames, known.frames, compareDataFrameStructures);
  const next = { frames, rev: same ? known.rev : known.rev + 1 };
  setKnown(next);
  return next.rev;
}
