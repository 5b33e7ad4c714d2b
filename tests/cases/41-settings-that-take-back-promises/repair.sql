alter role salvager in database subject reset zero_damaged_pages;
