// Where customers meet a business. The code is stored where we have a word for it, else what the team wrote.
import { codesBelow, hasText, t } from '@/i18n'

/** All places we have words for, as choices. */
export const placeChoices = () => codesBelow('touch').map((value) => ({ value, label: t(`touch.${value}`) }))

/** The word for a place. */
export const placeName = (code: string): string => (hasText(`touch.${code}`) ? t(`touch.${code}`) : code)

/** The code of a word, or the word itself. */
export const placeCode = (name: string): string => codesBelow('touch').find((code) => t(`touch.${code}`) === name) ?? name
