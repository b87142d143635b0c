// What devices are called. SDKs of Apple's systems tell a model as a code ("iPhone18,3"); people know it by its name.
import { hasText, t } from '@/i18n'

// The codes of Apple's telephones, by generation and place in it.
const phones: Record<string, string> = {
  '10,1 10,4': '8',
  '10,2 10,5': '8 Plus',
  '10,3 10,6': 'X',
  '11,2': 'XS',
  '11,4 11,6': 'XS Max',
  '11,8': 'XR',
  '12,1': '11',
  '12,3': '11 Pro',
  '12,5': '11 Pro Max',
  '12,8': 'SE (2)',
  '13,1': '12 mini',
  '13,2': '12',
  '13,3': '12 Pro',
  '13,4': '12 Pro Max',
  '14,4': '13 mini',
  '14,5': '13',
  '14,2': '13 Pro',
  '14,3': '13 Pro Max',
  '14,6': 'SE (3)',
  '14,7': '14',
  '14,8': '14 Plus',
  '15,2': '14 Pro',
  '15,3': '14 Pro Max',
  '15,4': '15',
  '15,5': '15 Plus',
  '16,1': '15 Pro',
  '16,2': '15 Pro Max',
  '17,3': '16',
  '17,4': '16 Plus',
  '17,1': '16 Pro',
  '17,2': '16 Pro Max',
  '17,5': '16e',
  '18,3': '17',
  '18,1': '17 Pro',
  '18,2': '17 Pro Max',
  '18,4': 'Air',
}
const phone = new Map(Object.entries(phones).flatMap(([codes, name]) => codes.split(' ').map((c) => [c, `iPhone ${name}`])))

/** "iPhone18,3" is an "iPhone 17"; of a code that is not known here, the family is told: "iPad (iPad16,3)". */
export function modelName(model: string): string {
  const [, family = '', code = ''] = /^(iPhone|iPad|iPod|Watch|AppleTV|MacBookAir|MacBookPro|Macmini|iMac|Mac)(\d+,\d+)$/.exec(model) ?? []
  if (!code) return model
  if (family === 'iPhone') return phone.get(code) ?? `iPhone (${model})`
  const named: Record<string, string> = { Watch: 'Apple Watch', AppleTV: 'Apple TV', iPad: 'iPad', iPod: 'iPod touch' }
  return `${named[family] ?? 'Mac'} (${model})`
}

const own = (platform: string) => (hasText(`platform.${platform.toLowerCase()}`) ? t(`platform.${platform.toLowerCase()}`) : platform)

/** A device as the server tells it, "ios · iPhone18,3", in words: the platform is left out where the model says it. */
export function deviceName(device: string): string {
  const [platform = '', ...rest] = device.split(' · ')
  if (rest.length === 0) return hasText(`platform.${platform.toLowerCase()}`) ? own(platform) : modelName(platform)
  const model = modelName(rest.join(' · '))
  return /^(iPhone|iPad|iPod|Apple)/.test(model) ? model : `${own(platform)} · ${model}`
}
