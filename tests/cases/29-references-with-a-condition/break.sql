DELETE FROM pictures;
INSERT INTO notes VALUES (7, 'film', 50);
