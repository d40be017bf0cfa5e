//! A list in pages, which may change while it is read.
//!
//! The clouds cut a page out of the list as it is at that moment. A row that is gone, or that moves to the front, shifts the
//! rows behind it: one is on two pages, or on none. A reading shows this by its totals and by rows that come twice; then the
//! list is read again.

use std::collections::HashMap;

use async_trait::async_trait;

use super::Error;

/// How often a list is read at most, if it does not keep still.
const READINGS: usize = 3;

/// A list that is read in pages.
#[async_trait]
pub trait Pages: Sync {
    /// What is kept of a row.
    type Row: Send;

    /// The rows from here on, as many as the cloud returns.
    async fn page(&self, offset: usize) -> Result<Page<Self::Row>, Error>;
}

/// One page.
#[derive(Debug)]
pub struct Page<R> {
    /// How many rows the page has, with those that are of no use.
    pub count: usize,
    /// Its rows, by their ids.
    pub rows: Vec<(Box<str>, R)>,
    /// How many rows there are in all, if the cloud tells.
    pub total: Option<usize>,
}

/// A list, each row once.
#[derive(Debug)]
pub struct Listing<R> {
    /// The rows by their ids.
    pub rows: HashMap<Box<str>, R>,
    /// Whether its end was reached.
    pub is_whole: bool,
}

/// Reads a list of at most this many pages. If it changes all the while, what any reading had is in the result, each row as
/// it was read last.
pub async fn read_all<P: Pages>(pages: &P, most_pages: usize) -> Result<Listing<P::Row>, Error> {
    let mut all = Listing { rows: HashMap::new(), is_whole: false };
    for _ in 0..READINGS {
        let Reading { listing, kept_still } = read_once(pages, most_pages).await?;
        if kept_still {
            return Ok(listing);
        }
        all.is_whole = listing.is_whole;
        all.rows.extend(listing.rows);
    }
    Ok(all)
}

struct Reading<R> {
    listing: Listing<R>,
    kept_still: bool,
}

async fn read_once<P: Pages>(pages: &P, most_pages: usize) -> Result<Reading<P::Row>, Error> {
    let mut listing = Listing { rows: HashMap::new(), is_whole: false };
    let (mut offset, mut total, mut kept_still) = (0_usize, None, true);
    for number in 0..most_pages {
        let page = pages.page(offset).await?;
        kept_still &= number == 0 || page.total == total;
        total = page.total;
        offset = offset.saturating_add(page.count);
        let known = listing.rows.len();
        for (id, row) in page.rows {
            kept_still &= listing.rows.insert(id, row).is_none();
        }
        listing.is_whole = page.count == 0 || total.is_some_and(|total| offset >= total);
        // A page of nothing new: the list goes round.
        if listing.is_whole || listing.rows.len() == known {
            break;
        }
    }
    Ok(Reading { listing, kept_still })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    /// A list of which each page shows three rows, and which changes after each page as the test says.
    struct List {
        state: Mutex<State>,
        tells_total: bool,
    }

    struct State {
        rows: Vec<String>,
        /// What happens after each page.
        changes: Vec<Change>,
        pages: usize,
    }

    #[derive(Clone, Debug)]
    enum Change {
        None,
        New(u8),
        Gone(usize),
        ToFront(usize),
    }

    impl List {
        fn new(rows: usize, changes: Vec<Change>) -> Self {
            let rows = (0..rows).map(|number| format!("r{number}")).collect();
            Self { state: Mutex::new(State { rows, changes, pages: 0 }), tells_total: true }
        }

        fn pages(&self) -> usize {
            self.state.lock().unwrap().pages
        }
    }

    #[async_trait]
    impl Pages for List {
        type Row = usize;

        async fn page(&self, offset: usize) -> Result<Page<usize>, Error> {
            let mut state = self.state.lock().unwrap();
            state.pages += 1;
            let shown: Vec<(Box<str>, usize)> =
                state.rows.iter().skip(offset).take(3).map(|id| (id.as_str().into(), state.pages)).collect();
            let total = self.tells_total.then_some(state.rows.len());
            let change = if state.changes.is_empty() { Change::None } else { state.changes.remove(0) };
            let length = state.rows.len();
            match change {
                Change::Gone(at) if length > 0 => drop(state.rows.remove(at % length)),
                Change::ToFront(at) if length > 0 => {
                    let row = state.rows.remove(at % length);
                    state.rows.insert(0, row);
                }
                Change::New(number) => {
                    let name = format!("new{number}-{}", state.pages);
                    state.rows.insert(0, name);
                }
                Change::None | Change::Gone(_) | Change::ToFront(_) => {}
            }
            Ok(Page { count: shown.len(), rows: shown, total })
        }
    }

    fn read(list: &List, most_pages: usize) -> Listing<usize> {
        futures::executor::block_on(read_all(list, most_pages)).unwrap()
    }

    fn ids(listing: &Listing<usize>) -> BTreeSet<String> {
        listing.rows.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_that_keeps_still_is_read_once() {
        for (rows, pages) in [(0, 1), (1, 1), (3, 1), (4, 2), (9, 3), (10, 4)] {
            let list = List::new(rows, Vec::new());
            let listing = read(&list, 10);
            assert_eq!((listing.rows.len(), listing.is_whole, list.pages()), (rows, true, pages));
        }
    }

    #[test]
    fn without_a_total_an_empty_page_is_the_end() {
        let list = List { tells_total: false, ..List::new(6, Vec::new()) };
        let listing = read(&list, 10);
        assert_eq!((listing.rows.len(), listing.is_whole, list.pages()), (6, true, 3));
    }

    #[test]
    fn a_list_without_an_end_is_not_whole() {
        let listing = read(&List::new(10, Vec::new()), 3);
        assert_eq!((listing.rows.len(), listing.is_whole), (9, false));
    }

    /// Every page is the first one.
    struct Round(List);

    #[async_trait]
    impl Pages for Round {
        type Row = usize;

        async fn page(&self, _: usize) -> Result<Page<usize>, Error> {
            self.0.page(0).await
        }
    }

    #[test]
    fn a_list_that_goes_round_is_not_read_for_ever() {
        let list = Round(List::new(9, Vec::new()));
        let listing = futures::executor::block_on(read_all(&list, 200)).unwrap();
        assert_eq!((listing.rows.len(), listing.is_whole, list.0.pages()), (3, false, 6));
    }

    #[test]
    fn a_row_that_was_on_no_page_is_found_by_another_reading() {
        // Row 3 moves to the first page after that was read, and row 8 to the front.
        for change in [Change::Gone(0), Change::ToFront(8)] {
            let list = List::new(9, vec![change.clone()]);
            let listing = read(&list, 10);
            let expected: BTreeSet<String> = list.state.lock().unwrap().rows.iter().cloned().collect();
            assert_eq!(ids(&listing), expected, "{change:?}");
            assert_eq!(list.pages(), 6, "{change:?}");
        }
    }

    /// Rows that the caller may not see are left out of each page, so that the offset lags.
    struct Hiding(List);

    #[async_trait]
    impl Pages for Hiding {
        type Row = usize;

        async fn page(&self, offset: usize) -> Result<Page<usize>, Error> {
            let mut page = self.0.page(offset).await?;
            page.rows.retain(|(id, _)| **id != *"r1");
            page.count = page.rows.len();
            Ok(page)
        }
    }

    #[test]
    fn rows_that_may_not_be_seen_look_like_a_change_and_none_is_missing() {
        let list = Hiding(List::new(9, Vec::new()));
        let listing = futures::executor::block_on(read_all(&list, 10)).unwrap();
        assert_eq!((listing.rows.len(), listing.is_whole, list.0.pages()), (8, true, 12));
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            2 => Just(Change::None),
            1 => any::<u8>().prop_map(Change::New),
            1 => any::<usize>().prop_map(Change::Gone),
            1 => any::<usize>().prop_map(Change::ToFront),
        ]
    }

    proptest! {
        #[test]
        fn no_row_that_was_there_all_the_while_is_missing(
            // The changes end with the second reading at the latest.
            rows in 7..20_usize,
            changes in prop::collection::vec(change(), 0..5),
        ) {
            let list = List::new(rows, changes);
            let before: BTreeSet<String> = list.state.lock().unwrap().rows.iter().cloned().collect();
            let found = ids(&read(&list, 20));
            let after: BTreeSet<String> = list.state.lock().unwrap().rows.iter().cloned().collect();
            for id in before.intersection(&after) {
                prop_assert!(found.contains(id), "{id}");
            }
        }
    }
}
