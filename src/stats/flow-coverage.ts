/** How surely flows reach one of several parallel links, when routers spread them evenly by a hash. Pure. */

/**
 * The chance that at least one of `flows` takes a given one of `links`: 1 - (1 - 1/links)^flows. A dead member of an ECMP
 * group is a dead flow with this chance, and not seen at all otherwise.
 */
export function chanceOfReaching(flows: number, links: number): number {
  return 1 - (1 - 1 / links) ** flows;
}
