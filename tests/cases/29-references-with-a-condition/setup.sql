CREATE TYPE about AS ENUM ('Article', 'Picture', 'Drawing', 'film');
CREATE TABLE articles (id int PRIMARY KEY);
CREATE TABLE pictures (id int PRIMARY KEY);
CREATE TABLE notes (id int PRIMARY KEY, about_type about, about_id int);
INSERT INTO articles VALUES (1), (2);
INSERT INTO pictures VALUES (50);
-- Article 99 does not exist. The 0 of note 5 means that the note is about no picture in particular.
INSERT INTO notes VALUES
  (1, 'Article', 1), (2, 'Article', 99), (3, 'Picture', 50), (4, 'Drawing', 50), (5, 'Picture', 0), (6, NULL, 3);
