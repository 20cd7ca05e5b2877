/** How loud a cell of the map is, from 0 to 1. Pure. */

/** Of what comes or waits, as a share of the most; of what is left, what is gone of the time that records are kept. */
export const fullness = (value: number | null, isLeft: boolean, most: number, retentionS: number): number => {
  const whole = isLeft ? retentionS : most;
  if (value === null || !(whole > 0)) return 0;
  const share = Math.min(1, Math.max(0, value / whole));
  return isLeft ? 1 - share : share;
};

/** A partition's number from an address; nothing, where it is none. */
export const numberOf = (text: string | undefined): number | undefined => (text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined);
