import type { components } from './schema'

export { type Answer, type Args, call, type Item, type Method, type PathsOf, upload } from './client'
export { describe, type Fault, fieldErrors, Problem, troubleText, wordsFor, wordsOf } from './problem'
export {
  becomes,
  type Guess,
  guess,
  type Listing,
  queryClient,
  reading,
  refresh,
  useAll,
  useList,
  useRead,
  useReads,
  useSend,
} from './query'

/** The API's shapes by name: Schemas['Person']. */
export type Schemas = components['schemas']
