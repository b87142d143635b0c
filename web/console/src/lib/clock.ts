import { useRead } from '@/api'
import { formatTime, formatTimeIn, formatZoneOffset, hereZone } from '@/i18n'

/**
 * Writes moments on the reader's clock; where that shows another time than the workspace's, in which plans are made and days are counted, the zone is named
 * beside it.
 */
export function useClock(): (at: string | null | undefined) => string {
  const home = useRead('/api/v1/workspace', {}).data?.timezone
  const here = hereZone()
  return home && home !== here && offset(home) !== offset(here) ? (at) => (at ? formatTimeIn(at, here) : '–') : formatTime
}

const offset = (zone: string) => formatZoneOffset(zone) || zone
