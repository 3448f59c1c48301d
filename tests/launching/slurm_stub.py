"""A SLURM in one file, for machines without one: `sbatch`, `srun`, `squeue`, `sacct`, `scancel` and `scontrol`.

    python slurm_stub.py FOLDER

makes of FOLDER/bin what belongs in front of the PATH. The programs really run batch scripts as child processes, arrays
with their indices and their bound included, send the signal that a script asks for, and end jobs at their limit. They
keep the jobs' states in FOLDER/jobs. Nothing of it knows submitit or recipekit. A job that makes the file whose path it
finds in STUB_SLURM_SPENT has used up its limit by that, so that nobody has to wait for it. Variables decide how it
behaves:

    STUB_SLURM_KILLED   the state of a job whose process was killed by SIGKILL, FAILED unless said; REQUEUE queues it
                        once more
    STUB_SLURM_REFUSES  what sbatch says, and takes no job
    STUB_SLURM_QUOTA    how many jobs there may be at once; sbatch refuses more
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PROGRAMS = ("sbatch", "srun", "squeue", "sacct", "scancel", "scontrol")
ALIVE = ("PENDING", "RUNNING")
JOBS = Path(__file__).absolute().parent / "jobs"


def install(folder: Path) -> Path:
    """Puts the programs into a folder; gives the one for the PATH."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (folder / "jobs").mkdir()
    source = Path(__file__).read_text()
    (folder / "slurm_stub.py").write_text(source)
    for name in PROGRAMS:
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -SE {folder}/slurm_stub.py {name} "$@"\n')
        (programs / name).chmod(0o755)
    return programs


def says(job: Path, state: str) -> None:
    job.with_suffix(".new").write_text(state)
    job.with_suffix(".new").replace(job.with_suffix(".state"))


def state(job: Path) -> str:
    return job.with_suffix(".state").read_text()


def known(name: str | None = None) -> list[Path]:
    """Jobs by their id, array elements each for itself."""
    found = [path.with_suffix("") for path in JOBS.glob("*.state")]
    return sorted(job for job in found if name is None or job.with_suffix(".name").read_text() == name)


def sbatch(arguments: list[str]) -> int:
    """Takes a batch script: job arrays of it begin in the background."""
    script = Path(arguments[-1]).read_text()
    asked = dict(re.findall(r"^#SBATCH --([\w-]+)(?:='?(.*?)'?)?$", script, re.MULTILINE))
    first, last, at_once = re.findall(r"\d+", asked.get("array", "0-0%1"))
    indices = range(int(first), int(last) + 1)
    refused = os.environ.get("STUB_SLURM_REFUSES", "")
    queued = sum(state(job) in ALIVE for job in known())
    if queued + len(indices) > int(os.environ.get("STUB_SLURM_QUOTA", "1000")):
        refused = "Batch job submission failed: Job violates accounting/QOS policy (job submit limit)"
    if refused:
        sys.stderr.write(f"sbatch: error: {refused}\n")
        return 1
    number = 1 + len(list(JOBS.glob("*.script")))
    (JOBS / f"{number}.script").write_text(script)
    names = [f"{number}_{index}" if "array" in asked else f"{number}" for index in indices]
    for name in names:
        (JOBS / f"{name}.name").write_text(asked.get("job-name", ""))
        says(JOBS / name, "PENDING")
    sys.stdout.write(f"Submitted batch job {number}\n")
    sys.stdout.flush()
    if os.fork() == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        _run_all(number, names, int(at_once), asked)
        os._exit(0)
    return 0


def _run_all(number: int, names: list[str], at_once: int, asked: dict[str, str]) -> None:
    running: list[int] = []
    for name in names:
        if len(running) >= min(at_once, os.cpu_count() or 1):
            running.remove(os.wait()[0])
        running.append(os.fork())
        if running[-1] == 0:
            while state(JOBS / name) == "PENDING" and _run(number, name, asked) == "REQUEUE":
                says(JOBS / name, "PENDING")
                os.environ["STUB_SLURM_KILLED"] = "FAILED"
            os._exit(0)
    for pid in running:
        os.waitpid(pid, 0)


def _run(number: int, name: str, asked: dict[str, str]) -> str:
    """One job from its beginning to its end; its state."""
    _, _, index = name.partition("_")
    variables = {"SLURM_JOB_ID": str(number), "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0"}
    variables |= {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_JOB_NODELIST": "node1"}
    if index:
        variables |= {"SLURM_ARRAY_JOB_ID": str(number), "SLURM_ARRAY_TASK_ID": index}
    variables["STUB_SLURM_SPENT"] = str(JOBS / f"{name}.spent")
    out, err = (_placed(asked[key], variables) for key in ("output", "error"))
    says(JOBS / name, "RUNNING")
    with out.open("ab") as stdout, err.open("ab") as stderr:
        script = subprocess.Popen(
            ["bash", str(JOBS / f"{number}.script")],
            env={**os.environ, **variables},
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    (JOBS / f"{name}.pid").write_text(str(script.pid))
    word, _, early = asked.get("signal", "@").partition("@")
    if not _ends_within(script, 60 * int(asked["time"]) - int(early), JOBS / f"{name}.spent"):
        _signal_steps(script.pid, getattr(signal, f"SIG{word}"))
    try:
        script.wait(int(early))
    except subprocess.TimeoutExpired:
        says(JOBS / name, "TIMEOUT")
        os.killpg(script.pid, signal.SIGKILL)
        script.wait()
    if state(JOBS / name) == "RUNNING":
        killed = script.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
        says(JOBS / name, os.environ.get("STUB_SLURM_KILLED", "FAILED") if killed else _ended(script.returncode))
    return state(JOBS / name)


def _ends_within(script: subprocess.Popen[bytes], seconds: float, spent: Path) -> bool:
    """Waits for a job's end, until its time is over or it has said so."""
    deadline = time.monotonic() + seconds
    while script.poll() is None:
        if spent.exists() or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _ended(code: int) -> str:
    return "FAILED" if code else "COMPLETED"


def _signal_steps(group: int, sent: int) -> None:
    """Signals what `srun` has started, not the script."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            started_by = int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            step = b"srun" in Path(f"/proc/{started_by}/cmdline").read_bytes().split(b"\0")[2:5]
            if step and os.getpgid(int(path.name)) == group:
                os.kill(int(path.name), sent)


def _placed(pattern: str, variables: dict[str, str]) -> Path:
    array = variables.get("SLURM_ARRAY_JOB_ID", variables["SLURM_JOB_ID"])
    for mark, value in (
        ("%A", array),
        ("%a", variables.get("SLURM_ARRAY_TASK_ID", "")),
        ("%j", variables["SLURM_JOB_ID"]),
        ("%t", variables["SLURM_PROCID"]),
    ):
        pattern = pattern.replace(mark, value)
    return Path(pattern)


def srun(arguments: list[str]) -> int:
    """Runs a step of a job; its prints go where the options say."""
    place = {}
    while arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option in {"--output", "--error"}:
            place[option] = _placed(arguments.pop(0), dict(os.environ))
    with place["--output"].open("ab") as stdout, place["--error"].open("ab") as stderr:
        code = subprocess.call(arguments, stdout=stdout, stderr=stderr)
    return 128 - code if code < 0 else code


def squeue(arguments: list[str]) -> int:
    """Lists the jobs that wait or run."""
    name = next((it.partition("=")[2] for it in arguments if it.startswith("--name=")), None)
    sys.stdout.writelines(f"{job.name}\n" for job in known(name) if state(job) in ALIVE)
    return 0


def sacct(arguments: list[str]) -> int:
    """Lists all jobs with their states."""
    sys.stdout.write("JobID|State|NodeList\n")
    sys.stdout.writelines(f"{job.name}|{state(job)}|node1\n" for job in known())
    return 0


def scancel(arguments: list[str]) -> int:
    """Cancels jobs by their name, or by the id of an array or of one element."""
    name = next((it.partition("=")[2] for it in arguments if it.startswith("--name=")), None)
    ids = {it for it in arguments if not it.startswith("-")}
    for job in known(name):
        if state(job) in ALIVE and (name is not None or ids & {job.name, job.name.partition("_")[0]}):
            says(job, f"CANCELLED by {os.getuid()}")
            pid = job.with_suffix(".pid")
            if pid.exists():
                os.killpg(int(pid.read_text()), signal.SIGKILL)
    return 0


def scontrol(arguments: list[str]) -> int:
    """Nothing can be queued again by hand."""
    sys.stderr.write("Requested operation not supported on this system\n")
    return 1


if __name__ == "__main__":
    if sys.argv[1] in PROGRAMS:
        sys.exit(globals()[sys.argv[1]](sys.argv[2:]))
    install(Path(sys.argv[1]).absolute())
